import { UsageError } from "../core/errors.ts";
import type { Archive, Found, StoredFilter } from "../core/ports.ts";
import { inShard, instant, type Range, range } from "../core/selection.ts";
import type { JsonObject } from "../core/transcript.ts";
import { checkedId, idsFrom } from "./ids.ts";
import type { Io } from "./io.ts";
import type { FilterFlags, SelectionFlags } from "./options.ts";

/** What a command line selects. */
export type Selection =
  | { by: "ids"; ids: () => AsyncGenerator<string>; total?: number }
  | ({ by: "range"; agents: string[] } & Range);

/**
Reads the selection flags.

@throws UsageError for a selection that cannot be; one without an agent names those that the archive has seen.
*/
export const selectionOf = async (
  args: readonly string[],
  flags: SelectionFlags,
  io: Io,
  knownAgents: () => Promise<string[]>,
): Promise<Selection> => {
  const byIds = args.length > 0 || flags.ids !== undefined;
  // An agent alone does not clash with ids: CALLARCHIVE_AGENT may be set for good.
  if (byIds && (flags.since !== undefined || flags.until !== undefined))
    throw new UsageError(
      "Select calls by id, or by --agent and --since: not both. Run twice; the archive keeps what it has.",
    );
  if (byIds) return selectIds(args, flags, io);
  if (flags.agent === undefined && flags.since === undefined && flags.until === undefined)
    throw new UsageError(
      "Nothing is selected. Name instance ids, give a file of them with --ids, or use --agent with --since.",
    );
  if (!flags.agent?.length) throw new UsageError(await withoutAgent(knownAgents));
  if (!flags.since)
    throw new UsageError("--agent needs --since: from when on? For example --since 2025-08-01 or --since 7d.");
  return { by: "range", agents: [...new Set(flags.agent)], ...times(flags.since, flags, io) };
};

const selectIds = (args: readonly string[], { ids: file }: SelectionFlags, io: Io): Selection & { by: "ids" } => {
  const named = args.map((id) => checkedId(id, "On the command line: "));
  async function* ids(): AsyncGenerator<string> {
    yield* named;
    if (file !== undefined) yield* idsFrom(file, io);
  }
  return { by: "ids", ids, ...(file === undefined && { total: named.length }) };
};

const times = (since: string, { until, tz }: SelectionFlags, io: Io): Range => {
  const zone = tz ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const now = io.now();
  return range(instant(since, zone, now), until === undefined ? now : instant(until, zone, now));
};

const withoutAgent = async (knownAgents: () => Promise<string[]>): Promise<string> => {
  const known = await knownAgents();
  const seen = known.length > 0 ? ` The archive has seen: ${known.join(", ")}.` : "";
  return `A date range needs an agent, because the service lists calls by agent: add --agent ID, or set CALLARCHIVE_AGENT.${seen}`;
};

/** Only the part of the selection that belongs to this shard. */
export async function* sharded(found: AsyncIterable<Found[]>, { shard }: SelectionFlags): AsyncGenerator<Found[]> {
  for await (const batch of found) {
    // A listed call has no id yet; its address decides, on every machine alike.
    yield shard ? batch.filter(({ ref }) => inShard(ref.instanceId ?? ref.link ?? "", shard)) : batch;
  }
}

/** The stored calls that a command without the cloud means; without any flag, all of them. */
export const storedFilter = (flags: SelectionFlags, io: Io): StoredFilter => {
  const zone = flags.tz ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const at = (text: string): Date => instant(text, zone, io.now());
  return {
    ...(flags.agent && { agents: flags.agent }),
    ...(flags.since && { since: at(flags.since) }),
    ...(flags.until && { until: at(flags.until) }),
    ...(flags.limit && { limit: flags.limit }),
  };
};

/** Selects from the archive alone; resolves to the ids that it does not have. */
export const selectStored = async (
  archive: Archive,
  args: readonly string[],
  flags: SelectionFlags,
  io: Io,
): Promise<string[]> => {
  if (flags.shard) throw new UsageError("--shard shares the work of fetching; with --offline there is none.");
  if (args.length === 0 && flags.ids === undefined) {
    await archive.selectStored(storedFilter(flags, io));
    return [];
  }
  const absent: string[] = [];
  for await (const id of selectIds(args, flags, io).ids())
    if ((await archive.selectStored({ id })) === 0 && !(await archive.find(id))) absent.push(id);
  return absent;
};

/** The selection for the manifest and the run record: what was asked for, and nothing that changes from run to run. */
export const selectionFacts = (
  args: readonly string[],
  flags: SelectionFlags & FilterFlags,
  selection: Selection | undefined,
): JsonObject => ({
  ...(args.length > 0 && { ids: [...args] }),
  ...(flags.ids !== undefined && { idsFrom: flags.ids }),
  ...(flags.agent && { agents: [...flags.agent] }),
  ...(selection?.by === "range"
    ? { since: selection.since.toISOString(), until: selection.until.toISOString() }
    : { ...(flags.since && { since: flags.since }), ...(flags.until && { until: flags.until }) }),
  ...(flags.shard && { shard: `${flags.shard.index}/${flags.shard.count}` }),
  ...(flags.limit !== undefined && { limit: flags.limit }),
  ...(flags.status !== undefined && { status: flags.status }),
  ...(flags.minTurns !== undefined && { minTurns: flags.minTurns }),
  ...(flags.minDuration !== undefined && { minDuration: flags.minDuration }),
});
