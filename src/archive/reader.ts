import type { Reader } from "../core/archive.ts";
import { keysOf } from "../core/conversation-id.ts";
import type { StoredMedia } from "../core/media.ts";
import { type RawConversation, toStoredConversation } from "../core/raw-conversation.ts";
import type { StoredConversation, StoredFilter } from "../core/records.ts";
import type { Member } from "./block.ts";
import { blockReader, type Members } from "./block-reader.ts";
import { mediaOfItems } from "./media.ts";
import type { Db } from "./open.ts";
import { factsOf, furtherOf, type RecordRow, recordRows } from "./parts.ts";
import {
  type Agents,
  checkUnambiguous,
  conditionForId,
  conditionsOf,
  hasTranscript,
  type ItemRow,
  isUnsettled,
  isWithoutCalls,
  matchesNothing,
  parseRows,
  recordOf,
  selectAsJson,
  sourcesOf,
  stateOfLog,
  stateShown,
  type Terms,
} from "./rows.ts";
import type { Store } from "./store.ts";

const BATCH_ITEMS = 200;
/** Documents and metadata of one batch, in bytes. */
const BATCH_BYTES = 256 * 1024;
/** A selection of at most this many items is sorted; for a larger one all items are read in index order. */
const MAX_SORTED = 20_000;

/** What to read from the blocks; `tolerant`: unreadable documents are left out; undefined: nothing. */
type Load = "documents" | "tolerant" | "links" | undefined;

const NONE: Members = new Map();
const NO_RECORDS: ReadonlyMap<number, RecordRow[]> = new Map();
const NO_MEDIA: ReadonlyMap<number, StoredMedia[]> = new Map();

/** Reads stored records in batches of bounded size. */
export const reader = (
  db: Db,
  agents: Agents,
  store: Store,
  settledBefore: number,
): Reader & { conversation(item: number): StoredConversation | undefined } => {
  const recordsOfItems = recordRows(db);
  const mediaByItems = mediaOfItems(db);
  const shown = stateShown(settledBefore);
  const byItems = db.prepare(
    selectAsJson("from json_each(?) n cross join items i on i.item = n.value order by n.id limit -1"),
  );
  const selected = db.prepare("select count(*) as n from temp.selected");
  const unsettled = db.prepare("select count(*) as n from items i where i.state <> 'fetched'");
  const notCalls = db.prepare("select count(*) as n from items indexed by items_source where source <> 'calls'");
  const selectByPrefix = db.prepare(
    `select iif(source = 'calls', coalesce(instance_id, key), key) as id from items
     where key >= ? and key < ? order by key limit ?`,
  );
  const { membersOf } = blockReader(db);

  const loadRecords = async (rows: readonly ItemRow[], load: Load, stateOf = shown): Promise<RawConversation[]> => {
    const wanted = load === "links" ? rows.filter(({ link }) => link === "") : rows;
    const hasRecords = load === "documents" || load === "tolerant";
    const recordsByItem = hasRecords ? recordsOfItems(rows.map(({ item }) => item)) : NO_RECORDS;
    const mediaByItem = hasRecords ? mediaByItems(rows.map(({ item }) => item)) : NO_MEDIA;
    const members = load === undefined ? NONE : await membersOf(wanted, recordsByItem, load !== "documents");
    return rows.map((row) => {
      const raw = rawOf(row, recordsByItem, members, load, stateOf);
      const media = mediaByItem.get(row.item);
      return media ? { ...raw, record: { ...raw.record, media } } : raw;
    });
  };

  const rawOf = (
    row: ItemRow,
    recordsByItem: ReadonlyMap<number, RecordRow[]>,
    members: Members,
    load: Load,
    stateOf: typeof shown,
  ): RawConversation => {
    const member = members.get(row.item);
    const raw: RawConversation = {
      record: recordOf(row, agents, stateOf),
      meta: member?.meta,
      document: load === "links" || !row.sha256 ? undefined : member?.document,
      sha256: row.sha256,
    };
    const records = recordsByItem.get(row.item);
    return records ? withRecords(raw, records, members) : raw;
  };

  /** Loads one batch ahead: other threads decompress its blocks while the caller works on the batch before. */
  async function* batches(pages: Iterable<ItemRow[]>, load: Load, stateOf = shown): AsyncGenerator<RawConversation[]> {
    const parts = splitByBytes(pages, load);
    const next = (): Promise<RawConversation[]> | undefined => {
      // In one transaction, so that the rows and their blocks match. Nothing is written.
      db.exec("BEGIN");
      try {
        const { value, done } = parts.next();
        const pending = done ? undefined : loadRecords(value, load, stateOf);
        // The `await` below throws the error; this handler only covers a caller that stops before it.
        pending?.catch(() => undefined);
        return pending;
      } finally {
        db.exec("END");
      }
    };
    for (let pending = next(); pending; ) {
      const batch = await pending;
      pending = next();
      yield batch;
    }
  }

  /** Reads pages in index order. Each page starts after the last row of the one before, so no cursor stays open. */
  function* pagesByIndex(
    { started, unstarted }: Parts,
    index: string,
    limit = Number.POSITIVE_INFINITY,
  ): Generator<ItemRow[]> {
    let rest = limit;
    const page = (by: string, terms: readonly string[], order: string) =>
      db.prepare(selectAsJson(`from items i indexed by ${by} where ${terms.join(" and ")} order by ${order} limit ?`));
    const afterLast = [...started.terms, "i.started_at >= ?", "(i.started_at > ? or i.key > ?)"];
    const first = page(index, afterLast, "i.started_at, i.key");
    const second = page("items_unstarted", [...unstarted.terms, "i.key > ?"], "i.key");
    function* pages(ask: (last: ItemRow | undefined, count: number) => unknown): Generator<ItemRow[]> {
      for (let last: ItemRow | undefined; rest > 0; ) {
        const count = Math.min(BATCH_ITEMS, rest);
        const rows = parseRows(ask(last, count));
        rest -= rows.length;
        yield rows;
        last = rows.at(-1);
        if (rows.length < count) return;
      }
    }
    yield* pages((last, count) => {
      const time = last?.started_at ?? Number.MIN_SAFE_INTEGER;
      return first.get(...started.values, time, time, last?.key ?? "", count);
    });
    yield* pages((last, count) => second.get(...unstarted.values, last?.key ?? "", count));
  }

  /** Sorts item numbers, not whole rows, and reads the rows in pages. */
  function* sortedPages({ started, unstarted }: Parts, from: string, limit = -1): Generator<ItemRow[]> {
    const numbers = [started, unstarted].flatMap(({ terms, values }) => {
      const { items } = db
        .prepare(
          `select json_group_array(item) as items from
             (select i.item from ${from} where ${terms.join(" and ")} order by i.started_at, i.key limit ?)`,
        )
        .get(...values, limit) as { items: string };
      return JSON.parse(items) as number[];
    });
    const wanted = limit < 0 ? numbers : numbers.slice(0, limit);
    for (let at = 0; at < wanted.length; at += BATCH_ITEMS) yield rowsOf(wanted.slice(at, at + BATCH_ITEMS));
  }

  const rowsOf = (items: readonly number[]): ItemRow[] => parseRows(byItems.get(JSON.stringify(items)));

  /** Splits pages, so that the documents of each part fit into memory. */
  function* splitByBytes(pages: Iterable<ItemRow[]>, load: Load): Generator<ItemRow[]> {
    const weight = ({ bytes, said, further }: ItemRow): number =>
      load === undefined ? 0 : (said ?? 0) + (load === "links" ? 0 : (bytes ?? 0) + (further ?? 0));
    for (const rows of pages) {
      let bytes = 0;
      let from = 0;
      // The rows of a later part are read again: since an earlier transaction their blocks may have been replaced.
      const reread = (part: ItemRow[]): ItemRow[] => (from === 0 ? part : rowsOf(part.map(({ item }) => item)));
      for (const [at, row] of rows.entries()) {
        bytes += weight(row);
        if (bytes < BATCH_BYTES) continue;
        yield reread(rows.slice(from, at + 1));
        from = at + 1;
        bytes = 0;
      }
      if (from < rows.length) yield reread(rows.slice(from));
    }
  }

  const ofSelection = (condition: string, load: Load, stateOf = shown): AsyncGenerator<RawConversation[]> => {
    const parts = (...more: string[]): Parts => ({
      started: { terms: ["i.started_at is not null", condition, ...more], values: [] },
      unstarted: { terms: ["i.started_at is null", condition, ...more], values: [] },
    });
    const { n } = selected.get() as { n: number };
    return batches(
      n <= MAX_SORTED
        ? sortedPages(parts(), "temp.selected s cross join items i on i.item = s.item")
        : pagesByIndex(parts("exists (select 1 from temp.selected s where s.item = i.item)"), "items_order"),
      load,
      stateOf,
    );
  };

  const pagesOf = (filter: StoredFilter): Iterable<ItemRow[]> => {
    if (matchesNothing(filter)) return [];
    const { id, agents: ids, states, limit } = filter;
    const parts = conditionsOf(db, filter, settledBefore);
    if (id !== undefined) return sortedPages(parts, "items i", limit);
    if (states && isUnsettled(db, states) && (unsettled.get() as { n: number }).n <= MAX_SORTED)
      return sortedPages(parts, "items i indexed by items_unsettled", limit);
    // Few chat sessions among many calls are found without reading the calls.
    if (isWithoutCalls(filter) && (notCalls.get() as { n: number }).n <= MAX_SORTED)
      return sortedPages(parts, "items i indexed by items_source", limit);
    // The index is named, because without statistics the planner may sort a million rows.
    return pagesByIndex(parts, ids?.length === 1 ? "items_agent" : "items_order", limit);
  };

  const isReadable = hasTranscript(settledBefore);
  /** One conversation as it is inside the caller's transaction; undefined when its content cannot be read. */
  const conversation = (item: number): StoredConversation | undefined => {
    const [row] = rowsOf([item]);
    if (!row) return undefined;
    const recordsByItem = recordsOfItems([item]);
    const blocks = [row.block, ...(recordsByItem.get(item) ?? []).map(({ block: number }) => number)];
    const members = new Map<number, Member>();
    for (const number of new Set(blocks))
      if (number !== null) for (const [key, member] of store.membersOf(number)) members.set(key, member);
    const found = toStoredConversation(rawOf(row, recordsByItem, members, "documents", shown));
    return found.document ? found : undefined;
  };

  return {
    conversation,
    rawConversations: () => ofSelection(isReadable, "documents"),
    conversations: () => recordsOf(ofSelection(isReadable, "documents")),
    unsettled: ({ logs = false } = {}) =>
      recordsOf(
        logs
          ? ofSelection("i.state <> 'fetched'", undefined, stateOfLog)
          : ofSelection(`not (${isReadable})`, undefined),
      ),
    find: async (id, sources) => {
      const { terms, values } = conditionForId(db, id, sources);
      const rows = parseRows(
        db.prepare(selectAsJson(`from items i where ${terms.join(" and ")} limit 9`)).get(...values),
      );
      checkUnambiguous(id, rows);
      const [row] = rows;
      const [found] = row ? await loadRecords([row], "documents") : [];
      return found && toStoredConversation(found);
    },
    beginningWith: async (beginning, limit, sources) => {
      // No key contains this character, and it sorts after all others.
      const rows = keysOf(beginning, sourcesOf(db), sources).flatMap(
        (from) => selectByPrefix.all(from, `${from}\u{10ffff}`, limit) as { id: string }[],
      );
      return rows.map(({ id }) => id).slice(0, limit);
    },
    list: (filter, { documents = false, tolerant = false } = {}) => {
      const found = recordsOf(batches(pagesOf(filter), documents ? (tolerant ? "tolerant" : "documents") : "links"));
      return documents ? found : withoutMeta(found);
    },
  };
};

async function* recordsOf(batches: AsyncIterable<RawConversation[]>): AsyncGenerator<StoredConversation[]> {
  for await (const batch of batches) yield batch.map(toStoredConversation);
}

async function* withoutMeta(batches: AsyncIterable<StoredConversation[]>): AsyncGenerator<StoredConversation[]> {
  for await (const batch of batches) yield batch.map(({ meta: _, ...record }) => record);
}

type Parts = Record<"started" | "unstarted", Terms>;

/** A conversation with its records besides a call log; without any of them when one cannot be read. */
const withRecords = (raw: RawConversation, records: readonly RecordRow[], members: Members): RawConversation => {
  const further = furtherOf(records, members);
  return further ? { ...raw, record: { ...raw.record, records: records.map(factsOf) }, further } : raw;
};
