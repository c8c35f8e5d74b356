/** What a caller says, and what the agent answers. */
type Exchange = readonly [user: string, agent: string];

export type Language = "zh" | "en";

/** A kind of call, as templates. */
export interface Scenario {
  readonly name: string;
  readonly system: string;
  readonly greeting: string;
  /** In the order of a typical call; a long call starts over with new slot values. */
  readonly talk: readonly Exchange[];
  readonly closing: readonly Exchange[];
}
