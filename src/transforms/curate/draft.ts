import type { Message } from "../../core/sample.ts";
import type { Turn } from "../../core/transcript.ts";
import type { Change, DropReason } from "./policy.ts";

/** A call while it is turned into a sample. */
export interface Draft {
  /** The turns of the source, from which `messages` are made. */
  turns: Turn[];
  /** The text of the system turn. */
  system?: string;
  /** Turns that the system turn quotes. */
  quoted?: NonNullable<Message["turns"]>;
  /** The messages before the caller's first words. */
  opening: Message[];
  /** The messages from the caller's first words on. */
  messages: Message[];
}

/**
One change to a draft: a pure function with a name, so that steps can be combined and counted.

It returns the same object if there is nothing to do, so that `runSteps` knows what changed. A step that does not change
the call's words has no `change`.
*/
export interface Step {
  readonly name: string;
  readonly change?: Change;
  run(draft: Draft): Draft | Drop;
}

export interface Drop {
  dropped: DropReason;
}

/** Runs the steps in order, up to the first that drops the call. Returns the changes that were made. */
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

/** A step that only edits `messages`. */
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

/** `list` with items edited; the same object if none changed. */
export const editEach = <T>(list: T[], edit: (item: T) => T): T[] => {
  let isEdited = false;
  const edited = list.map((item) => {
    const next = edit(item);
    if (next !== item) isEdited = true;
    return next;
  });
  return isEdited ? edited : list;
};
