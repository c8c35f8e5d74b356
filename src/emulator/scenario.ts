/** The words of the caller and the answer of the agent. */
type Exchange = readonly [user: string, agent: string];

export type Language = "zh" | "en";

/** A kind of call, as templates. */
export interface Scenario {
  readonly name: string;
  readonly system: string;
  readonly greeting: string;
  /** Exchanges in the order of a typical call; a long call repeats them with new slot values. */
  readonly talk: readonly Exchange[];
  readonly closing: readonly Exchange[];
}
