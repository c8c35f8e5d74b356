import { callDialogues, type Dialogue } from "./dialogue.ts";
import { digest } from "./digest.ts";
import { readLog } from "./log-entries.ts";
import type { Sessions } from "./sessions.ts";
import type { TypedChats } from "./typed-chats.ts";

/** A hand-made dialogue. */
export interface DialogueOptions {
  sessionId: string;
  /** One that is already there is replaced. @default an id of its own */
  dialogueId?: string;
  /** @default a round of its own */
  roundId?: string;
  /** @default "user" */
  producer?: "user" | "agent";
  text: string;
  reasoning?: string;
  /** @default now */
  time?: Date;
  /** @default "chat" */
  source?: "chat" | "call";
  /** @default "normal" */
  type?: string;
  /** Fields that replace those of the dialogue; they change neither its place nor its id. */
  fields?: Record<string, unknown>;
}

export interface DialoguesOptions {
  sessions: Sessions;
  typedChats: TypedChats;
  seed: number;
  /** For how many days a dialogue is listed. */
  dialogueDays: number | undefined;
  now: () => Date;
}

/** Which dialogues to list; times in milliseconds, both included. */
export interface DialogueQuery {
  session: string;
  since: number;
  until: number;
}

const DAY_MS = 86_400_000;

/** The dialogues of all sessions: of calls, typed ones, and those added by hand. They are computed on demand. */
export const createDialogues = ({ sessions, typedChats, seed, dialogueDays, now }: DialoguesOptions) => {
  const added = new Map<string, Map<string, Dialogue>>();
  let count = 0;

  const typedOf = (session: string): Dialogue[] => {
    const plan = sessions.typed(session);
    if (!plan) return [];
    const spans = sessions.calls(session).map((call) => readLog(call));
    if (spans.length === 0) return typedChats.of(session, { before: plan.at });
    const before = Math.min(...spans.map(({ start }) => start));
    return typedChats.of(session, { before, after: Math.max(...spans.map(({ end }) => end)) });
  };

  const all = (session: string): Dialogue[] => {
    const byHand = added.get(session) ?? new Map<string, Dialogue>();
    const generated = [
      ...typedOf(session),
      ...sessions.calls(session).flatMap((call) => callDialogues(seed, call)),
    ].filter(({ DialogueId }) => !byHand.has(DialogueId));
    return [...generated, ...byHand.values()].sort((a, b) => a.Time - b.Time);
  };

  /** The earliest time that is not expired. */
  const horizon = (): number => (dialogueDays === undefined ? 0 : now().getTime() - dialogueDays * DAY_MS);

  return {
    /** All dialogues of a session, also those that have expired, in the order of their times. */
    all,

    /** The dialogues that can be listed, in the order of their times. */
    list: ({ session, since, until }: DialogueQuery): Dialogue[] => {
      const from = Math.max(since, horizon());
      return all(session).filter(({ Time }) => Time >= from && Time <= until);
    },

    add: (options: DialogueOptions): string => {
      const number = count++;
      const { sessionId, text, time = now(), reasoning } = options;
      const { dialogueId: id = digest(seed, sessionId, "added", number) } = options;
      const dialogue: Dialogue = {
        DialogueId: id,
        RoundId: options.roundId ?? digest(seed, sessionId, "added-round", number),
        Producer: options.producer ?? "user",
        Text: text,
        ...(reasoning !== undefined && { ReasoningText: reasoning }),
        Time: time.getTime(),
        Source: options.source ?? "chat",
        Type: options.type ?? "normal",
      };
      const ofSession = added.get(sessionId) ?? new Map<string, Dialogue>();
      ofSession.set(id, { ...dialogue, ...options.fields, DialogueId: id, Time: dialogue.Time });
      added.set(sessionId, ofSession);
      return id;
    },

    /** All sessions, each once. */
    *sessionIds(): Generator<string> {
      const byHand = new Set(added.keys());
      for (const session of sessions.ids()) {
        byHand.delete(session);
        yield session;
      }
      yield* byHand;
    },
  };
};

export type Dialogues = ReturnType<typeof createDialogues>;
