/**
The state of an item of the archive.

`pruned`: its document was deleted, by a retention rule or a request for erasure; it is not fetched again.
*/
export type State = "pending" | "open" | "fetched" | "missing" | "invalid" | "failed" | "pruned";

export const STATES: readonly State[] = ["pending", "open", "fetched", "missing", "invalid", "failed", "pruned"];

export type Counts = Record<State, number>;

/** Items in these states are not requested again without `--refresh`. */
export const isFinal = (state: State): boolean => state === "fetched" || state === "invalid" || state === "pruned";

/** States of a call that could not be fetched: a person has to know. */
export const TROUBLE = ["missing", "invalid", "failed"] as const satisfies readonly State[];

export type Troubled = (typeof TROUBLE)[number];

export const isTroubled = (state: State): state is Troubled => (TROUBLE as readonly State[]).includes(state);
