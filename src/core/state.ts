/**
How an item of the archive stands.

`pruned`: its document was deleted, by a retention rule or a request for erasure; it is not fetched again.
*/
export type State = "pending" | "open" | "fetched" | "missing" | "invalid" | "failed" | "pruned";

export const STATES: readonly State[] = ["pending", "open", "fetched", "missing", "invalid", "failed", "pruned"];

export type Counts = Record<State, number>;

/** Nothing is asked for again in these states, unless it is refreshed. */
export const isFinal = (state: State): boolean => state === "fetched" || state === "invalid" || state === "pruned";

/** States of a call that could not be had: a person has to know. */
export const TROUBLE = ["missing", "invalid", "failed"] as const satisfies readonly State[];

export type Troubled = (typeof TROUBLE)[number];

export const isTroubled = (state: State): state is Troubled => (TROUBLE as readonly State[]).includes(state);
