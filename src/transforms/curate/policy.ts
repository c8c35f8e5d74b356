/** How calls become fine-tuning samples. Every field has a default. */
export interface Policy {
  /**
  What the agent says before the caller's first words, the greeting above all: few readers take a sample that begins so.

  - `system`: quoted in the system turn, so that the answers that follow keep their context.
  - `drop`: left out.
  - `pad`: kept after an empty user turn. Serving must do the same, and the strictest readers refuse empty content.
  - `mask`: kept where it is, not to be learned: for presets that can say so.

  @default "system"
  */
  greeting?: "system" | "drop" | "pad" | "mask";
  /**
  The system turn: the call's own prompt, none, or a fixed text. With `none` a quoted greeting still makes one.

  @default "auto"
  */
  system?: "auto" | "none" | { text: string };
  /**
  Where the caller cut in: `cut` off what was never heard; `mask`: cut it off, and do not learn the half answer either;
  or `keep` the whole text without the platform's tag, not to be learned.

  @default "cut"
  */
  interrupted?: "cut" | "mask" | "keep";
  /** Take "um", 嗯 and their like out of what callers say. A lone 嗯 can be an answer, so: @default false */
  stripFillers?: boolean;
  /** Only turns of these kinds, for example `normal`; all when absent. */
  kinds?: readonly string[];
  /** Of the dialog: from the caller's first words to the agent's last, merged. */
  minTurns?: number;
  maxTurns?: number;
  /** Seconds; a call of unknown duration counts as long as its last turn's begin. */
  minDuration?: number;
  maxDuration?: number;
  /** Characters of the dialog, spaces not counted. */
  minCharacters?: number;
  /**
  One sample per call, or one per agent turn, each with the dialog up to it and that turn alone to be learned.

  @default "call"
  */
  expand?: "call" | "turn";
}

/**
Why a call gives no sample.

- `no-user-turn`: the caller says nothing.
- `no-assistant-turn`: the agent answers nothing that the caller said.
- `role:X`: role X cannot be expressed (X is cut to 40 characters); `role:system` where it comes within the dialog.
- `tool-result-without-call`, `tool-call-without-result`: calls of tools and their results do not fit together.
- `min-turns`, `max-turns`, `min-duration`, `max-duration`, `min-characters`: see `Policy`.
- `nothing-to-learn`: the policies take every agent turn out of learning.
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
  | "nothing-to-learn";

/**
What a sample changes of its call's words.

- `kinds-left-out`: turns of other kinds than asked for were left out.
- `interruption-cut`: text that was never heard was left out.
- `interruption-tag-removed`: the platform's tag was taken out, the text around it kept.
- `fillers-stripped`: the caller's fillers were taken out.
- `empty-turns-dropped`: turns without text were left out.
- `opening-tools-dropped`: what the agent asked of tools before the caller's first words was left out.
- `greeting-quoted`, `greeting-dropped`, `greeting-padded`, `greeting-masked`: see `Policy.greeting`.
- `trailing-user-cut`: the caller's last words, never answered, were left out.
- `turns-merged`: turns of one speaker in a row were made one.
*/
export type Change =
  | "kinds-left-out"
  | "interruption-cut"
  | "interruption-tag-removed"
  | "fillers-stripped"
  | "empty-turns-dropped"
  | "opening-tools-dropped"
  | "greeting-quoted"
  | "greeting-dropped"
  | "greeting-padded"
  | "greeting-masked"
  | "trailing-user-cut"
  | "turns-merged";

/** What samples made under a policy ask of their preset. */
export interface Needs {
  /** Turns that must not be learned: the preset's loss key goes into every row, or into none. */
  loss: boolean;
  /** Samples that begin with the agent. */
  greetingFirst: boolean;
  /** Empty user turns. */
  emptyUser: boolean;
}

export const needsOf = ({ greeting, interrupted = "cut", expand }: Policy): Needs => ({
  loss: greeting === "mask" || interrupted !== "cut" || expand === "turn",
  greetingFirst: greeting === "mask",
  emptyUser: greeting === "pad",
});
