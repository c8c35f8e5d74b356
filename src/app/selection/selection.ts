import type { Archive } from "../../core/archive.ts";
import { UsageError } from "../../core/errors.ts";
import type { StoredFilter } from "../../core/records.ts";
import { inShard, instant, range, type Shard } from "../../core/selection.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { AgentRange } from "../../sources/ranges.ts";
import type { AppContext, Host } from "../context.ts";
import type { FilterRequest, SelectionRequest } from "../requests.ts";
import { countIds } from "./id-count.ts";
import { checkedId, idsFrom } from "./ids.ts";

/** What a command line selects. */
export type Selection =
  | {
      by: "ids";
      ids: (unreadable: (message: string) => void) => AsyncGenerator<string>;
      total?: number /* as named: repeats count */;
    }
  | { by: "range"; stretches: AgentRange[]; last: boolean };

/** What reading a selection needs. */
export type SelectionContext = Pick<AppContext, "host" | "log">;

type RangeRequest = SelectionRequest & { lookback?: number };

/** What an archive that is there already knows. */
export interface KnownToArchive {
  agents(): Promise<string[]>;
  cursor(name: string): Promise<Date | undefined>;
}

/** @throws UsageError for a selection that cannot be; one without an agent names those that the archive has seen */
export const selectionOf = async (
  request: RangeRequest,
  { host }: SelectionContext,
  known: KnownToArchive,
): Promise<Selection> => {
  const { agents, since, until } = request;
  if (namesIds(request)) {
    if (since !== undefined || until !== undefined)
      throw new UsageError(
        "Select calls by id, or by --agent and --since: not both. Run twice; the archive keeps what it has.",
      );
    return withTotal(selectIds(request, host), request, host);
  }
  if (agents === undefined && since === undefined && until === undefined)
    throw new UsageError(
      "Nothing is selected. Name instance ids, give a file of them with --ids, or use --agent with --since.",
    );
  if (!agents?.length) throw new UsageError(withoutAgent(await known.agents()));
  if (!since)
    throw new UsageError(
      "--agent needs --since: from when on? For example --since 2025-08-01, --since 7d, or --since last.",
    );
  return {
    by: "range",
    last: since === "last",
    stretches: await stretchesOf(request, host, [...new Set(agents)], known),
  };
};

/** Whether a selection goes by ids. */
export const namesIds = ({ ids = [], idsFile }: SelectionRequest): boolean => ids.length > 0 || idsFile !== undefined;

/** A file can be counted before it is read; a stream cannot. */
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

/** The ids that a request names, itself or by a file. */
export const idsOf = (request: SelectionRequest, host: Host): IdSelection["ids"] => selectIds(request, host).ids;

const selectIds = ({ ids = [], idsFile: file }: SelectionRequest, host: Host): IdSelection => {
  const named = ids.map((id) => checkedId(id, "On the command line: "));
  async function* all(unreadable: (message: string) => void): AsyncGenerator<string> {
    yield* named;
    if (file !== undefined) yield* idsFrom(file, host, unreadable);
  }
  // No wrapper around the file's reader where none is needed: it would run for every id.
  const alone = (unreadable: (message: string) => void) =>
    file !== undefined && named.length === 0 ? idsFrom(file, host, unreadable) : all(unreadable);
  return { by: "ids", ids: alone, ...(file === undefined && { total: named.length }) };
};

const stretchesOf = (
  request: RangeRequest,
  host: Host,
  agents: string[],
  known: KnownToArchive,
): Promise<AgentRange[]> => {
  const { since = "", until, lookback = 0, shard } = request;
  const now = host.now();
  const zone = zoneOf(request, host);
  const end = until === undefined ? now : instant(until, zone, now);
  const start = since === "last" ? undefined : instant(since, zone, now);
  if (start && start > now)
    throw new UsageError(
      `--since ${since} lies in the future: it is ${start.toISOString()}, and now is ${now.toISOString()}.`,
    );
  return Promise.all(
    agents.map(async (agentId) => {
      if (start) return { agentId, ...range(start, end) };
      const cursor = await known.cursor(cursorName(agentId, shard));
      if (!cursor)
        throw new UsageError(
          `There is no last run of agent ${agentId} to go on from: the first needs an explicit --since, for example --since 2025-08-01.`,
        );
      // A cursor from a clock that ran ahead is no reason to look at nothing.
      const from = Math.min(cursor.getTime(), now.getTime());
      return { agentId, ...range(new Date(from - lookback * 1000), end) };
    }),
  );
};

/** Each share of the work has a cursor of its own. */
export const cursorName = (agentId: string, shard: Shard | undefined): string =>
  shard ? `${agentId}#${shard.index}/${shard.count}` : agentId;

const zoneOf = ({ tz }: SelectionRequest, { env }: Host): string => {
  const zone = tz ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  // Node keeps a TZ that it does not know, and every date in it is invalid.
  if (zone !== undefined && zone !== "Etc/Unknown") return zone;
  throw new UsageError(`The system's time zone is not known (TZ=${env.TZ ?? ""}): name one with --tz.`);
};

const withoutAgent = (known: readonly string[]): string => {
  const seen = known.length > 0 ? ` The archive has seen: ${known.join(", ")}.` : "";
  return `A date range needs an agent, because the service lists calls by agent: add --agent ID, set CALLARCHIVE_AGENT, or name agents in the config file.${seen}`;
};

/** Whether something with this name belongs to this machine's share; by its address, while a call has no id. */
export const inMyShard =
  ({ shard }: SelectionRequest) =>
  (name: string): boolean =>
    shard === undefined || inShard(name, shard);

/** The stored calls that a request means that contacts nothing; without any condition, all of them. */
export const storedFilter = (request: SelectionRequest, host: Host): StoredFilter => {
  const { agents, since, until, limit } = request;
  const zone = zoneOf(request, host);
  const at = (text: string): Date => instant(text, zone, host.now());
  return {
    ...(agents && { agents }),
    ...(since && { since: at(since) }),
    ...(until && { until: at(until) }),
    ...(limit && { limit }),
  };
};

/** What an archive could not select. */
export interface StoredSelection {
  /** Ids that it does not have. */
  absent: string[];
  /** Lines of an id file that are no id. */
  unreadable: number;
}

/** Selects from the archive alone; what it does not have is logged. */
export const selectStored = async (
  archive: Archive,
  request: SelectionRequest,
  { host, log }: SelectionContext,
): Promise<StoredSelection> => {
  if (request.shard) throw new UsageError("--shard shares the work of fetching; with --offline there is none.");
  const absent: string[] = [];
  let unreadable = 0;
  if (!namesIds(request)) {
    await archive.selectStored(storedFilter(request, host));
    return { absent, unreadable };
  }
  let selected = 0;
  const ids = idsOf(
    request,
    host,
  )((message) => {
    unreadable += 1;
    log("warn", "bad-id", { message });
  });
  for await (const id of ids) {
    const added = await archive.selectStored({ id });
    if (added === 0 && !(await archive.find(id))) {
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
  const { ids = [], idsFile, agents, since, until, shard, limit, status, minTurns, minDuration } = request;
  return {
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
