import type { Ledger, Reader } from "../../core/archive.ts";
import { qualifiedSource } from "../../core/conversation-id.ts";
import { UsageError } from "../../core/errors.ts";
import type { StoredFilter } from "../../core/records.ts";
import { inShard, instant, range, type Shard } from "../../core/selection.ts";
import type { JsonObject, SourceName } from "../../core/transcript.ts";
import type { AgentRange } from "../../sources/ranges.ts";
import type { AppContext, Host } from "../context.ts";
import type { FilterRequest, SelectionRequest } from "../requests.ts";
import { countIds } from "./id-count.ts";
import { checkedId, idsFrom } from "./ids.ts";

/** The calls that a request selects. */
export type Selection =
  | {
      by: "ids";
      ids: (onUnreadable: (message: string) => void) => AsyncGenerator<string>;
      /** How many ids were named, duplicates included. */
      total?: number;
    }
  | { by: "range"; stretches: AgentRange[]; last: boolean };

/** What reading a selection needs. */
export type SelectionContext = Pick<AppContext, "host" | "log">;

type RangeRequest = SelectionRequest & { lookback?: number };

/** What an existing archive knows of agents and cursors. */
export interface KnownToArchive {
  agents(): Promise<string[]>;
  cursor(name: string): Promise<Date | undefined>;
}

/** @throws UsageError for an invalid selection; if the agent is missing, it lists those in the archive */
export const selectionOf = async (
  request: RangeRequest,
  { host }: SelectionContext,
  known: KnownToArchive,
): Promise<Selection> => {
  const { agents, since, until, sources = [] } = request;
  const others = sources.filter((source) => source !== "calls");
  if (others.length > 0) throw new UsageError(onlyCalls(`--source ${others.join(", ")}`, others));
  if (namesIds(request)) {
    if (since !== undefined || until !== undefined)
      throw new UsageError(
        "Select calls by id, or by --agent and --since, not both. To get both, run the command twice.",
      );
    return withTotal(selectIds(request, host, callId), request, host);
  }
  if (agents === undefined && since === undefined && until === undefined)
    throw new UsageError(
      "Nothing is selected. Name instance ids, give a file of them with --ids, or use --agent with --since.",
    );
  if (!agents?.length) throw new UsageError(withoutAgent(await known.agents()));
  if (!since)
    throw new UsageError("--agent needs --since, for example --since 2025-08-01, --since 7d, or --since last.");
  return {
    by: "range",
    last: since === "last",
    stretches: await stretchesOf(request, host, [...new Set(agents)], known),
  };
};

/** The instance id in an id that may name its source. @throws UsageError for a conversation that is no call */
const callId = (text: string): string => {
  const id = checkedId(text);
  const source = qualifiedSource(id);
  if (source === undefined) return id;
  if (source !== "calls") throw new UsageError(onlyCalls(id, [source]));
  return id.slice("calls:".length);
};

/** Why a conversation of another source cannot be selected for fetching, and what to do. */
const onlyCalls = (what: string, sources: readonly SourceName[]): string =>
  `${what}: only calls are fetched here. Get ${sources.join(" and ")} into the archive with ${sources.map(waysIn).join(" and ")}, and export them with --offline.`;

const waysIn = (source: SourceName): string =>
  `"callarchive pull ${source}"${source === "chats" ? ' or "callarchive import"' : ""}`;

/** Whether a selection goes by ids. */
export const namesIds = ({ ids = [], idsFile }: SelectionRequest): boolean => ids.length > 0 || idsFile !== undefined;

/** Adds the number of ids if it is known: a file can be counted before it is read, a stream cannot. */
const withTotal = async (
  selection: IdSelection,
  { ids = [], idsFile }: SelectionRequest,
  host: Host,
): Promise<IdSelection> => {
  if (idsFile === undefined) return selection;
  const inFile = await countIds(idsFile, host);
  return inFile === undefined ? selection : { ...selection, total: ids.length + inFile };
};

type IdSelection = Selection & { by: "ids" };

/** The ids that a request names directly or in a file. */
export const idsOf = (request: SelectionRequest, host: Host): IdSelection["ids"] => selectIds(request, host).ids;

/** @param idIn makes an id of a text, or throws a UsageError */
const selectIds = (
  { ids = [], idsFile: file }: SelectionRequest,
  host: Host,
  idIn: (text: string) => string = checkedId,
): IdSelection => {
  const named = ids.map((id) => {
    try {
      return idIn(id);
    } catch (error) {
      throw error instanceof UsageError ? new UsageError(`On the command line: ${error.message}`) : error;
    }
  });
  async function* all(onUnreadable: (message: string) => void): AsyncGenerator<string> {
    yield* named;
    if (file !== undefined) yield* idsFrom(file, host, onUnreadable, idIn);
  }
  // A file alone needs no wrapper generator, which would run for every id.
  const read = (onUnreadable: (message: string) => void) =>
    file !== undefined && named.length === 0 ? idsFrom(file, host, onUnreadable, idIn) : all(onUnreadable);
  return { by: "ids", ids: read, ...(file === undefined && { total: named.length }) };
};

const stretchesOf = (
  request: RangeRequest,
  host: Host,
  agents: string[],
  known: KnownToArchive,
): Promise<AgentRange[]> =>
  Promise.all(
    agents.map(async (agentId) => {
      const stream = { cursor: cursorName(agentId, request.shard), name: `agent ${agentId}` };
      return { agentId, ...(await timesOf(request, host, stream, known)) };
    }),
  );

/**
The times of a request for one stream of records; `last` begins at its cursor, minus the lookback.

@param stream the name of its cursor, and its name in messages
@throws UsageError
*/
export const timesOf = async (
  { since = "", until, lookback = 0, tz }: Pick<RangeRequest, "since" | "until" | "lookback" | "tz">,
  host: Host,
  stream: { cursor: string; name: string },
  known: Pick<KnownToArchive, "cursor">,
): Promise<{ since: Date; until: Date }> => {
  const now = host.now();
  const zone = (): string => zoneOf({ tz }, host);
  const end = until === undefined ? now : instant(until, zone, now);
  if (since !== "last") {
    const start = instant(since, zone, now);
    if (start > now)
      throw new UsageError(
        `--since ${since} lies in the future: it is ${start.toISOString()}, and now is ${now.toISOString()}.`,
      );
    return range(start, end);
  }
  const cursor = await known.cursor(stream.cursor);
  if (!cursor)
    throw new UsageError(
      `There is no last run of ${stream.name}: --since last works from the second run on. Give the first run a time, for example --since 2025-08-01.`,
    );
  // A clock that was ahead may have put the cursor into the future.
  const from = Math.min(cursor.getTime(), now.getTime());
  return range(new Date(from - lookback * 1000), end);
};

/** Each shard of an agent has its own cursor. */
export const cursorName = (agentId: string, shard: Shard | undefined): string =>
  shard ? `${agentId}#${shard.index}/${shard.count}` : agentId;

const zoneOf = ({ tz }: { tz?: string | undefined }, { env }: Host): string => {
  // As Node reads it, but without loading its tables of time zones.
  const zone = tz ?? (env.TZ === "UTC" ? env.TZ : undefined) ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  // With an unknown TZ, Node has this zone, and all its dates are invalid.
  if (zone !== undefined && zone !== "Etc/Unknown") return zone;
  throw new UsageError(`The system's time zone is not known (TZ=${env.TZ ?? ""}). Set one with --tz.`);
};

const withoutAgent = (known: readonly string[]): string => {
  const hint = known.length > 0 ? ` The agents in the archive are: ${known.join(", ")}.` : "";
  return `A date range needs an agent, because the service lists calls by agent: add --agent ID, set CALLARCHIVE_AGENT, or name agents in the config file.${hint}`;
};

/** Whether a name belongs to this machine's shard: a call's id, or its address while it has no id. */
export const inMyShard =
  ({ shard }: SelectionRequest) =>
  (name: string): boolean =>
    shard === undefined || inShard(name, shard);

/** The filter for stored conversations of a request; without any condition, all of them. */
export const storedFilter = (request: SelectionRequest, host: Host): StoredFilter => {
  const { sources, agents, since, until, limit } = request;
  const at = (text: string): Date => instant(text, () => zoneOf(request, host), host.now());
  return {
    ...(sources && { sources }),
    ...(agents && { agents }),
    ...(since && { since: at(since) }),
    ...(until && { until: at(until) }),
    ...(limit && { limit }),
  };
};

/** What could not be selected from an archive. */
export interface StoredSelection {
  /** Ids that it does not have. */
  absent: string[];
  /** Lines of an id file without an id. */
  unreadable: number;
}

/**
Selects from the archive only, and logs the ids that it does not have.

@param byDefault what a request without ids and without sources selects; @default all
*/
export const selectStored = async (
  archive: Ledger & Reader,
  request: SelectionRequest,
  { host, log }: SelectionContext,
  byDefault?: readonly SourceName[],
): Promise<StoredSelection> => {
  if (request.shard)
    throw new UsageError("--shard divides the work of fetching, and --offline fetches nothing: use only one of them.");
  const absent: string[] = [];
  let unreadable = 0;
  if (!namesIds(request)) {
    await archive.selectStored({ ...(byDefault && { sources: byDefault }), ...storedFilter(request, host) });
    return { absent, unreadable };
  }
  let selected = 0;
  const { sources } = request;
  const ids = idsOf(
    request,
    host,
  )((message) => {
    unreadable += 1;
    log("warn", "bad-id", { message });
  });
  for await (const id of ids) {
    const added = await archive.selectStored({ id, ...(sources && { sources }) });
    // Also an error when the id is that of conversations of several sources.
    if (added !== 1 && !(await archive.find(id, sources))) {
      absent.push(id);
      log("warn", "missing", { id, message: "The archive does not have it." });
    }
    selected += added;
    if (selected === request.limit) break;
  }
  return { absent, unreadable };
};

/** The selection for the manifest and the run record: what was asked for, as times where it was said in words. */
export const selectionFacts = (
  request: SelectionRequest & FilterRequest,
  selection: Selection | undefined,
): JsonObject => {
  const { ids = [], idsFile, sources, agents, since, until, shard, limit, status, minTurns, minDuration } = request;
  return {
    ...(sources && { sources: [...sources] }),
    ...(ids.length > 0 && { ids: [...ids] }),
    ...(idsFile !== undefined && { idsFrom: idsFile }),
    ...(agents && selection?.by !== "ids" && { agents: [...agents] }),
    ...(selection?.by === "range" ? rangeFacts(selection) : { ...(since && { since }), ...(until && { until }) }),
    ...(shard && { shard: `${shard.index}/${shard.count}` }),
    ...(limit !== undefined && { limit }),
    ...(status !== undefined && { status }),
    ...(minTurns !== undefined && { minTurns }),
    ...(minDuration !== undefined && { minDuration }),
  };
};

/** The times of a range as they were asked for. */
export const askedTimes = ({ since, until }: SelectionRequest): JsonObject => ({
  ...(since !== undefined && { since }),
  ...(until !== undefined && { until }),
});

const rangeFacts = ({ stretches, last }: Selection & { by: "range" }): JsonObject => {
  const [first] = stretches;
  if (!first) return {};
  return { since: last ? "last" : first.since.toISOString(), until: first.until.toISOString() };
};
