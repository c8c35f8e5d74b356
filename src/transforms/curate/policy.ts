/** How calls become fine-tuning samples. Every field has a default. */
export interface Policy {
  /**
  What happens to the agent's words before the caller's first, usually a greeting: few readers accept a sample that begins
  with the agent. The platform speaks the greeting itself, and its documented requests to a model begin with the user, so
  there is nothing to learn from it.

  - `drop`: removed.
  - `system`: quoted in the system turn. Serving must add the same sentence, which the platform does not.
  - `pad`: kept after an empty user turn. Serving must do the same, and strict readers refuse empty content.
  - `mask`: kept in place, but not learned; only for presets that support this.

  @default "drop"
  */
  greeting?: "system" | "drop" | "pad" | "mask";
  /**
  The system turn: the call's own prompt, none, or a fixed text. Even with `none`, a quoted greeting creates one.

  @default "auto"
  */
  system?: "auto" | "none" | { text: string };
  /**
  Answers that the caller interrupted. All but `keep` remove the text that was not heard.

  - `auto`: the rest is not learned: as `mask` for presets that can exclude a turn from learning, as `clause` for others.
  - `mask`: keeps the rest, but does not learn it.
  - `clause`: cuts the rest back to its last whole sentence, without one to its last whole clause, and learns that; leaves
    the answer out if it has neither.
  - `cut`: keeps the rest and learns it, although it may end within a word.
  - `keep`: keeps the whole text without the platform's tag, but does not learn it.

  @default "auto"
  */
  interrupted?: "auto" | "mask" | "clause" | "cut" | "keep";
  /**
  Two turns of the agent without a word of the caller between them are one answer only if they begin at most this many
  seconds apart. Later words are left out, or follow the silence token.

  @default 8
  */
  mergeGap?: number;
  /** A text that takes the caller's turn where the caller was silent for `mergeGap`. Serving must send the same. @default none */
  silenceToken?: string;
  /**
  Control tokens of chat models in texts, such as `<|im_end|>`: a tokenizer would end the turn there. `escape`: break them
  with a backslash. `strip`: remove them. `drop`: drop the call. `keep`: leave them.

  @default "escape"
  */
  specialTokens?: "escape" | "strip" | "drop" | "keep";
  /** Removes "um", 嗯 and similar fillers from what callers say. Off by default, because 嗯 alone can be an answer. @default false */
  stripFillers?: boolean;
  /** Keeps only turns of these kinds, for example `normal`. @default all */
  kinds?: readonly string[];
  /** Turns of the dialog from the caller's first words to the agent's last, after merging. */
  minTurns?: number;
  maxTurns?: number;
  /** Seconds. Without a known duration, the begin of the last turn is used. */
  minDuration?: number;
  maxDuration?: number;
  /** Characters of the dialog, without spaces. */
  minCharacters?: number;
  /**
  One sample per call; or one per agent turn, with the dialog up to it, of which only this turn is learned.

  @default "call"
  */
  expand?: "call" | "turn";
}

/**
Why a call gives no sample.

- `no-user-turn`: the caller says nothing.
- `no-assistant-turn`: the agent says nothing after the caller's first words.
- `role:X`: role X cannot be expressed (X is cut to 40 characters); `role:system` for a system turn inside the dialog.
- `tool-result-without-call`, `tool-call-without-result`: tool calls and results do not match.
- `min-turns`, `max-turns`, `min-duration`, `max-duration`, `min-characters`: see `Policy`.
- `control-token`: with `specialTokens: "drop"`, a text has one.
- `nothing-to-learn`: under the policies, no agent turn is learned.
*/
export type DropReason =
  | "no-user-turn"
  | "no-assistant-turn"
  | `role:${string}`
  | "tool-result-without-call"
  | "tool-call-without-result"
  | "min-turns"
  | "max-turns"
  | "min-duration"
  | "max-duration"
  | "min-characters"
  | "control-token"
  | "nothing-to-learn";

/**
How a sample differs from its call.

- `kinds-left-out`: turns of other kinds were removed.
- `interruption-cut`: text that was not heard was removed.
- `half-answers-masked`: answers that the caller cut off are not learned; presets that cannot say so have them cut back.
- `half-answers-cut-back`: they were cut back to their last whole sentence or clause, or left out.
- `unasked-turns-dropped`: what the agent said after a silence of the caller was removed.
- `silence-noted`: a silence became a turn of the caller.
- `repeated-turns-dropped`: turns that another record of the call repeats were removed.
- `characters-replaced`: a text has U+FFFD, where the source or half of a character was lost.
- `interruption-tag-removed`: the platform's tag was removed, and the text around it kept.
- `fillers-stripped`: the caller's fillers were removed.
- `empty-turns-dropped`: turns without text were removed.
- `opening-tools-dropped`: tool calls before the caller's first words were removed.
- `greeting-quoted`, `greeting-dropped`, `greeting-padded`, `greeting-masked`: see `Policy.greeting`.
- `trailing-user-cut`: the caller's last words, without an answer, were removed.
- `turns-merged`: consecutive turns of one speaker were merged.
- `control-tokens-escaped`, `control-tokens-stripped`: see `Policy.specialTokens`; followed by `control-token:X` for each
  kind of token X.
*/
export type Change =
  | "kinds-left-out"
  | "interruption-cut"
  | "interruption-tag-removed"
  | "half-answers-masked"
  | "half-answers-cut-back"
  | "unasked-turns-dropped"
  | "silence-noted"
  | "repeated-turns-dropped"
  | "characters-replaced"
  | "fillers-stripped"
  | "empty-turns-dropped"
  | "opening-tools-dropped"
  | "greeting-quoted"
  | "greeting-dropped"
  | "greeting-padded"
  | "greeting-masked"
  | "trailing-user-cut"
  | "turns-merged"
  | "control-tokens-escaped"
  | "control-tokens-stripped"
  | `control-token:${string}`;

/** What a preset must support for samples made under a policy. */
export interface Needs {
  /** Turns that must not be learned. If true, every row gets the preset's loss key. */
  loss: boolean;
  /** A policy that no other way than a loss key can express. */
  masking: boolean;
  /** Samples that begin with the agent. */
  greetingFirst: boolean;
  /** Empty user turns. */
  emptyUser: boolean;
}

export const needsOf = ({ greeting, interrupted = "auto", expand }: Policy): Needs => ({
  loss: greeting === "mask" || ["auto", "mask", "keep"].includes(interrupted) || expand === "turn",
  masking: greeting === "mask" || interrupted === "mask" || interrupted === "keep",
  greetingFirst: greeting === "mask",
  emptyUser: greeting === "pad",
});
