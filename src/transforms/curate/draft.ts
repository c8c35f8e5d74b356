import type { Message } from "../../core/sample.ts";
import type { Turn } from "../../core/transcript.ts";
import type { Change, DropReason } from "./policy.ts";

/** A call on its way to a sample. */
export interface Draft {
  /** As in the source: what `messages` is made of. */
  turns: Turn[];
  /** The text of the system turn. */
  system?: string;
  /** Turns that the system turn quotes. */
  quoted?: NonNullable<Message["turns"]>;
  /** What stays before the caller's first words. */
  opening: Message[];
  /** The dialog. */
  messages: Message[];
}

/**
One thing that is done to a call. Pure, with a name of its own, so that steps can be put together and counted.

It gives back the very draft when there is nothing to do: that is how `runSteps` knows what changed. A step whose work
is not a change of the call's words has no `change`.
*/
export interface Step {
  readonly name: string;
  readonly change?: Change;
  run(draft: Draft): Draft | Drop;
}

export interface Drop {
  dropped: DropReason;
}

/** Runs the steps in order, up to the first that drops the call; names those that changed something. */
export const runSteps = (
  first: Draft,
  steps: readonly Step[],
): { draft: Draft; changes: Change[] } | (Drop & { step: string }) => {
  let draft = first;
  const changes: Change[] = [];
  for (const { name, change, run } of steps) {
    const next = run(draft);
    if ("dropped" in next) return { step: name, dropped: next.dropped };
    if (next !== draft && change !== undefined) changes.push(change);
    draft = next;
  }
  return { draft, changes };
};

/** A step on the dialog alone. */
export const onMessages = (
  name: string,
  change: Change,
  edit: (messages: Message[]) => Message[],
): Step & { change: Change } => ({
  name,
  change,
  run: (draft) => {
    const messages = edit(draft.messages);
    return messages === draft.messages ? draft : { ...draft, messages };
  },
});

/** `list` with some items edited; the very list when none was. */
export const editEach = <T>(list: T[], edit: (item: T) => T): T[] => {
  let isEdited = false;
  const edited = list.map((item) => {
    const next = edit(item);
    if (next !== item) isEdited = true;
    return next;
  });
  return isEdited ? edited : list;
};
