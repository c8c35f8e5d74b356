import type { Archive } from "../../core/archive.ts";
import type { StoredConversation } from "../../core/records.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { callFacts } from "../../parse/call-meta.ts";
import type { AppContext } from "../context.ts";
import type { DialoguePullRequest } from "../record-requests.ts";
import { storedFilter } from "../selection/selection.ts";
import type { Trouble } from "./records.ts";

// Which sessions a pull of dialogues lists, and when.

/** A session is listed again unless it was listed this long after its last known call ended, in milliseconds. */
const SETTLED_MS = 3_600_000;
/** A session is listed from here, because it is noted as a whole. The service takes 0, as in its documentation's example. */
const BEGINNING = new Date(0);

/** A session whose dialogues are wanted. */
export interface WantedSession {
  sessionId: string;
  /** Undefined: list it whenever it was listed before. */
  settledAt?: Date;
}

/** Finds a session when its turn comes; undefined if the call has none. */
export type FindSession = () => Promise<WantedSession | undefined>;

/** When the dialogues of a session are listed: with sessions by name, `since` and `until` are about dialogues. */
export const spanOf = (request: DialoguePullRequest, host: AppContext["host"], startedAt: Date) => {
  const { since, until } = request.fromArchive ? {} : storedFilter(request, host);
  const isWhole = since === undefined && (until === undefined || until >= startedAt);
  return { start: since ?? BEGINNING, end: until ?? startedAt, isWhole };
};

export const noDialogues = (id: string, { since, until }: DialoguePullRequest): Trouble => ({
  id,
  state: "missing",
  code: "NoDialogues",
  message:
    since === undefined && until === undefined
      ? "The service lists no dialogues of this session: check its id and --region."
      : "The service lists no dialogues of this session in this range.",
});

export async function* namedSessions({ sessions }: DialoguePullRequest): AsyncGenerator<FindSession> {
  for (const sessionId of new Set(sessions)) yield async () => ({ sessionId });
}

/** The sessions of the selected calls. */
export async function* sessionsOfCalls(
  request: DialoguePullRequest,
  { host }: AppContext,
  archive: Pick<Archive, "list">,
  describe: (call: StoredConversation) => Promise<JsonObject | undefined>,
): AsyncGenerator<FindSession> {
  const { limit: _, ...filter } = storedFilter(request, host);
  for await (const batch of archive.list({ ...filter, sources: ["calls"] }, { documents: true, tolerant: true }))
    for (const call of batch)
      if (call.state !== "pruned")
        yield async () => {
          const { sessionId, endedBy } = callFacts(await describe(call));
          if (sessionId === undefined) return undefined;
          return { sessionId, ...(endedBy !== undefined && { settledAt: new Date(endedBy + SETTLED_MS) }) };
        };
}

/** The items, until `goOn` is false. */
export async function* upTo<T>(items: AsyncIterable<T>, goOn: () => boolean): AsyncGenerator<T> {
  for await (const item of items) {
    if (!goOn()) return;
    yield item;
  }
}
