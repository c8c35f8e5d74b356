import type { Call, Corpus } from "./corpus.ts";
import { digest } from "./digest.ts";
import type { Directory } from "./directory.ts";
import { readLog } from "./log-entries.ts";

export interface SessionsOptions {
  corpus: Corpus;
  directory: Directory;
  seed: number;
  from: Date;
  to: Date;
  /** How many sessions have typed messages. */
  typedChats: number;
}

/** A session with typed messages. */
export interface TypedSession {
  readonly session: string;
  /** The generated calls that belong to it, in their order; none for every fourth of these sessions. */
  readonly calls: readonly string[];
  /** When it takes place if it has no call, in milliseconds since 1970. */
  readonly at: number;
}

/**
Which calls belong to which session. A generated call has a session of its own, but some of the sessions with typed messages
have two calls of an agent. A hand-made call names its session in `instance.SessionId`.
*/
export const createSessions = ({ corpus, directory, seed, from, to, typedChats }: SessionsOptions) => {
  const typed = new Map<string, TypedSession>();
  const joined = new Map<string, string>();
  /** Generated calls by session, as far as they were looked through. */
  const known = new Map<string, string>();
  const unread = corpus.ids();

  const claim = (number: number, taken: Set<number>): number[] => {
    const index = Math.floor((number * corpus.calls) / typedChats);
    if (number % 4 === 3 || index >= corpus.calls || taken.has(index)) return [];
    taken.add(index);
    return [index];
  };
  const callAt = (index: number | undefined): Call | undefined =>
    index === undefined || index >= corpus.calls ? undefined : corpus.find(corpus.idAt(index));

  /** The same agent's next call, if it begins after this one has ended. */
  const successor = (index: number, taken: Set<number>): number[] => {
    const next = index + corpus.agents.length;
    const [call, later] = [callAt(index), callAt(next)];
    if (!call || !later || taken.has(next) || readLog(call).end >= later.start * 1000) return [];
    taken.add(next);
    return [next];
  };

  const plan = (): void => {
    const taken = new Set<number>();
    const claims = Array.from({ length: typedChats }, (_, number) => claim(number, taken));
    claims.forEach((claimed, number) => {
      const indexes = number % 4 === 1 ? claimed.flatMap((index) => [index, ...successor(index, taken)]) : claimed;
      const calls = indexes.map((index) => corpus.idAt(index));
      const session = callAt(indexes[0])?.scene().sessionId ?? digest(seed, "session", number);
      for (const id of calls.slice(1)) joined.set(id, session);
      const step = (to.getTime() - from.getTime()) / typedChats;
      typed.set(session, { session, calls, at: Math.floor(from.getTime() + (number + 0.5) * step) });
    });
  };
  if (typedChats > 0) plan();

  const of = (call: Call): string => {
    const given = call.instance?.SessionId;
    return typeof given === "string" ? given : (joined.get(call.id) ?? call.scene().sessionId);
  };

  const generated = (session: string): readonly string[] => {
    const planned = typed.get(session);
    if (planned) return planned.calls;
    for (let found = known.get(session); ; found = known.get(session)) {
      if (found !== undefined) return [found];
      const next = unread.next();
      if (next.done) return [];
      const call = corpus.find(next.value);
      if (call && !joined.has(call.id)) known.set(call.scene().sessionId, call.id);
    }
  };

  const calls = (session: string): Call[] => {
    const added = [...directory.added()].filter((call) => of(call) === session);
    const replaced = new Set([...directory.added()].map(({ id }) => id));
    const others = generated(session)
      .filter((id) => !replaced.has(id))
      .flatMap((id) => directory.find(id) ?? []);
    return [...others, ...added].sort((a, b) => a.start - b.start);
  };

  return {
    /** The session of a call. */
    of,
    /** The calls of a session, oldest first. */
    calls,
    /** The typed messages' plan of a session that has some. */
    typed: (session: string): TypedSession | undefined => typed.get(session),
    /** All sessions that have a call or typed messages, each once. */
    *ids(): Generator<string> {
      const given = new Set<string>();
      for (const id of directory.ids()) {
        const call = directory.find(id);
        const session = call && of(call);
        if (session === undefined || given.has(session)) continue;
        given.add(session);
        yield session;
      }
      for (const session of typed.keys()) if (!given.has(session)) yield session;
    },
  };
};

export type Sessions = ReturnType<typeof createSessions>;
