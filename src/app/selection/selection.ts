import type { Io } from "../../cli/io.ts";
import type { FilterFlags, SelectionFlags } from "../../cli/options.ts";
import type { Talk } from "../../cli/terminal/logger.ts";
import type { Archive, StoredFilter } from "../../core/archive.ts";
import { UsageError } from "../../core/errors.ts";
import { inShard, instant, range, type Shard } from "../../core/selection.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { Stretch } from "../../sources/ranges.ts";
import { countIds } from "./id-count.ts";
import { checkedId, idsFrom } from "./ids.ts";

/** What a command line selects. */
export type Selection =
  | {
      by: "ids";
      ids: (unreadable: (message: string) => void) => AsyncGenerator<string>;
      total?: number /* as named: repeats count */;
    }
  | { by: "range"; stretches: Stretch[]; last: boolean };

export interface SelectionInput {
  args: readonly string[];
  flags: SelectionFlags & { lookback?: number };
  /** Flags on the command line itself: those from the environment do not clash with ids. */
  given: ReadonlySet<string>;
  io: Io;
  talk: Pick<Talk, "log">;
}

/** What an archive that is there already knows. */
export interface Known {
  agents(): Promise<string[]>;
  cursor(name: string): Promise<Date | undefined>;
}

/** @throws UsageError for a selection that cannot be; one without an agent names those that the archive has seen */
export const selectionOf = async (input: SelectionInput, known: Known): Promise<Selection> => {
  const { args, flags, given } = input;
  if (args.length > 0 || flags.ids !== undefined) {
    if (given.has("since") || given.has("until"))
      throw new UsageError(
        "Select calls by id, or by --agent and --since: not both. Run twice; the archive keeps what it has.",
      );
    return withTotal(selectIds(input), input);
  }
  if (flags.agent === undefined && flags.since === undefined && flags.until === undefined)
    throw new UsageError(
      "Nothing is selected. Name instance ids, give a file of them with --ids, or use --agent with --since.",
    );
  if (!flags.agent?.length) throw new UsageError(withoutAgent(await known.agents()));
  if (!flags.since)
    throw new UsageError(
      "--agent needs --since: from when on? For example --since 2025-08-01, --since 7d, or --since last.",
    );
  return {
    by: "range",
    last: flags.since === "last",
    stretches: await stretchesOf(input, [...new Set(flags.agent)], known),
  };
};

/** A file can be counted before it is read; a stream cannot. */
const withTotal = async (selection: Selection & { by: "ids" }, { args, flags, io }: SelectionInput) => {
  if (flags.ids === undefined) return selection;
  const inFile = await countIds(flags.ids, io);
  return inFile === undefined ? selection : { ...selection, total: args.length + inFile };
};

/** The ids that a command line names, itself or by a file. */
export const idsOf = (input: IdsInput): IdReader => selectIds(input).ids;

type IdReader = (Selection & { by: "ids" })["ids"];
type IdsInput = Pick<SelectionInput, "args" | "io"> & { flags: Pick<SelectionFlags, "ids"> };

const selectIds = ({ args, flags: { ids: file }, io }: IdsInput): Selection & { by: "ids" } => {
  const named = args.map((id) => checkedId(id, "On the command line: "));
  async function* ids(unreadable: (message: string) => void): AsyncGenerator<string> {
    yield* named;
    if (file !== undefined) yield* idsFrom(file, io, unreadable);
  }
  // Nothing between the file and its reader where nothing is needed: it would be passed for every id.
  const alone = (unreadable: (message: string) => void) =>
    file !== undefined && named.length === 0 ? idsFrom(file, io, unreadable) : ids(unreadable);
  return { by: "ids", ids: alone, ...(file === undefined && { total: named.length }) };
};

const stretchesOf = ({ flags, io }: SelectionInput, agents: string[], known: Known): Promise<Stretch[]> => {
  const { since = "", until, lookback = 0, shard } = flags;
  const now = io.now();
  const zone = zoneOf(flags, io);
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

const zoneOf = ({ tz }: SelectionFlags, { env }: Io): string => {
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
export const mine =
  ({ shard }: SelectionFlags) =>
  (name: string): boolean =>
    shard === undefined || inShard(name, shard);

/** The stored calls that a command without the cloud means; without any flag, all of them. */
export const storedFilter = ({ flags, given, io }: SelectionInput): StoredFilter => {
  const zone = zoneOf(flags, io);
  const at = (text: string): Date => instant(text, zone, io.now());
  return {
    // An agent in the environment is for listing; here it would hide calls that were fetched by id.
    ...(flags.agent && given.has("agent") && { agents: flags.agent }),
    ...(flags.since && given.has("since") && { since: at(flags.since) }),
    ...(flags.until && given.has("until") && { until: at(flags.until) }),
    ...(flags.limit && { limit: flags.limit }),
  };
};

/** Selects from the archive alone; resolves to the ids that it does not have, and the lines that are no id. */
export const selectStored = async (
  archive: Archive,
  input: SelectionInput,
): Promise<{ absent: string[]; unreadable: number }> => {
  const { args, flags } = input;
  if (flags.shard) throw new UsageError("--shard shares the work of fetching; with --offline there is none.");
  const absent: string[] = [];
  let unreadable = 0;
  if (args.length === 0 && flags.ids === undefined) {
    await archive.selectStored(storedFilter(input));
    return { absent, unreadable };
  }
  let selected = 0;
  const ids = selectIds(input).ids((message) => {
    unreadable += 1;
    input.talk.log("warn", "bad-id", { message });
  });
  for await (const id of ids) {
    const added = await archive.selectStored({ id });
    if (added === 0 && !(await archive.find(id))) absent.push(id);
    selected += added;
    if (selected === flags.limit) break;
  }
  return { absent, unreadable };
};

/** The selection for the manifest and the run record: what was asked for, as times where it was said in words. */
export const selectionFacts = (
  { args, flags }: { args: readonly string[]; flags: SelectionFlags & FilterFlags },
  selection: Selection | undefined,
): JsonObject => ({
  ...(args.length > 0 && { ids: [...args] }),
  ...(flags.ids !== undefined && { idsFrom: flags.ids }),
  ...(flags.agent && selection?.by !== "ids" && { agents: [...flags.agent] }),
  ...(selection?.by === "range"
    ? rangeFacts(selection)
    : { ...(flags.since && { since: flags.since }), ...(flags.until && { until: flags.until }) }),
  ...(flags.shard && { shard: `${flags.shard.index}/${flags.shard.count}` }),
  ...(flags.limit !== undefined && { limit: flags.limit }),
  ...(flags.status !== undefined && { status: flags.status }),
  ...(flags.minTurns !== undefined && { minTurns: flags.minTurns }),
  ...(flags.minDuration !== undefined && { minDuration: flags.minDuration }),
});

/** The times of a range as they were asked for. */
export const askedFacts = ({ since, until }: SelectionFlags): JsonObject => ({
  ...(since !== undefined && { since }),
  ...(until !== undefined && { until }),
});

const rangeFacts = ({ stretches, last }: Selection & { by: "range" }): JsonObject => {
  const [first] = stretches;
  if (!first) return {};
  return { since: last ? "last" : first.since.toISOString(), until: first.until.toISOString() };
};
