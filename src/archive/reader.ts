import type { Reader } from "../core/archive.ts";
import { messageOf } from "../core/errors.ts";
import { type RawRecord, toStoredRecord } from "../core/raw-record.ts";
import type { StoredFilter, StoredRecord } from "../core/records.ts";
import { decodeBlock, type Member } from "./block.ts";
import { type CompressedBlock, decompress } from "./codec.ts";
import type { Db } from "./open.ts";
import {
  type Agents,
  conditionForId,
  conditionsOf,
  firstRow,
  type ItemRow,
  matchesNothing,
  parseRows,
  recordOf,
  selectAsJson,
  type Terms,
} from "./rows.ts";

const BATCH_ITEMS = 200;
/** Documents and metadata of one batch, in bytes. */
const BATCH_BYTES = 256 * 1024;
/** Cache of decompressed blocks, in bytes: calls of one time may be in as many blocks as there were runs. */
const CACHE_BYTES = 12 * 1024 * 1024;
/** A selection of at most this many items is sorted; for a larger one all items are read in index order. */
const MAX_SORTED = 20_000;

/** What to read from the blocks; `tolerant`: unreadable documents are left out; undefined: nothing. */
type Load = "documents" | "tolerant" | "links" | undefined;

type Opened = ReadonlyMap<number, Member>;
const NONE: Opened = new Map();

/** Reads stored records in batches of bounded size. */
export const reader = (db: Db, agents: Agents): Reader => {
  const block = db.prepare("select codec, size, body from blocks where block = ?");
  const byItems = db.prepare(
    selectAsJson("from json_each(?) n cross join items i on i.item = n.value order by n.id limit -1"),
  );
  const selected = db.prepare("select count(*) as n from temp.selected");
  const unsettled = db.prepare("select count(*) as n from items i where i.state <> 'fetched'");
  const selectByPrefix = db.prepare(
    "select coalesce(instance_id, key) as id from items where key >= ? and key < ? order by key limit ?",
  );
  const cache = new Map<number, { opened: Promise<Opened>; bytes: number }>();
  let cacheBytes = 0;

  /** The members of a block. Its row is read synchronously, so inside the caller's transaction. */
  const open = (number: number): Promise<Opened> => {
    const known = cache.get(number);
    if (known) {
      cache.delete(number);
      cache.set(number, known);
      return known.opened;
    }
    const packed = firstRow<CompressedBlock>(block.get(number));
    if (!packed) return Promise.resolve(new Map());
    const opened = decompress(packed).then((bytes) => addToCache(number, bytes));
    const entry = { opened: opened.catch((error: unknown) => throwUnreadable(number, error)), bytes: 0 };
    cache.set(number, entry);
    // The caller gets the error; the block leaves the cache, so that the next call tries again.
    entry.opened.catch(() => cache.delete(number));
    return entry.opened;
  };

  const addToCache = (number: number, bytes: Buffer): Opened => {
    const opened = decodeBlock(bytes);
    const entry = cache.get(number);
    if (entry) entry.bytes = bytes.length;
    cacheBytes += bytes.length;
    for (const [other, { bytes: size }] of cache) {
      if (cacheBytes <= CACHE_BYTES) break;
      // A block that is still being read has no size yet.
      if (size === 0) continue;
      cache.delete(other);
      cacheBytes -= size;
    }
    return opened;
  };

  /** The members of rows, by item. Each block is read once. */
  const membersOf = async (rows: readonly ItemRow[], tolerant: boolean): Promise<Opened> => {
    const itemsByBlock = new Map<number, number[]>();
    for (const { item, block: number } of rows) {
      if (number === null) continue;
      const items = itemsByBlock.get(number);
      if (items) items.push(item);
      else itemsByBlock.set(number, [item]);
    }
    const members = new Map<number, Member>();
    await Promise.all(
      [...itemsByBlock].map(async ([number, items]) => {
        const opened = await open(number).catch((error: unknown) => {
          if (!tolerant) throw error;
          return new Map<number, Member>();
        });
        for (const item of items) {
          const member = opened.get(item);
          // A view keeps its whole block in memory: members of a block that is hardly used are copied.
          if (member) members.set(item, items.length * 8 < opened.size ? copyMember(member) : member);
        }
      }),
    );
    return members;
  };

  const loadRecords = async (rows: readonly ItemRow[], load: Load): Promise<RawRecord[]> => {
    const wanted = load === "links" ? rows.filter(({ link }) => link === "") : rows;
    const members = load === undefined ? NONE : await membersOf(wanted, load !== "documents");
    return rows.map((row) => {
      const member = members.get(row.item);
      return {
        record: recordOf(row, agents),
        meta: member?.meta,
        document: load === "links" || !row.sha256 ? undefined : member?.document,
        sha256: row.sha256,
      };
    });
  };

  /** Loads one batch ahead: other threads decompress its blocks while the caller works on the batch before. */
  async function* batches(pages: Iterable<ItemRow[]>, load: Load): AsyncGenerator<RawRecord[]> {
    const parts = splitByBytes(pages, load);
    const next = (): Promise<RawRecord[]> | undefined => {
      // In one transaction, so that the rows and their blocks match. Nothing is written.
      db.exec("BEGIN");
      try {
        const { value, done } = parts.next();
        const pending = done ? undefined : loadRecords(value, load);
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
    const weight = ({ bytes, said }: ItemRow): number =>
      load === undefined ? 0 : (said ?? 0) + (load === "links" ? 0 : (bytes ?? 0));
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

  const ofSelection = (condition: string, load: Load): AsyncGenerator<RawRecord[]> => {
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
    );
  };

  const pagesOf = (filter: StoredFilter): Iterable<ItemRow[]> => {
    if (matchesNothing(filter)) return [];
    const { id, agents: ids, states, limit } = filter;
    const parts = conditionsOf(filter);
    if (id !== undefined) return sortedPages(parts, "items i", limit);
    if (states && !states.includes("fetched") && (unsettled.get() as { n: number }).n <= MAX_SORTED)
      return sortedPages(parts, "items i indexed by items_unsettled", limit);
    // The index is named, because without statistics the planner may sort a million rows.
    return pagesByIndex(parts, ids?.length === 1 ? "items_agent" : "items_order", limit);
  };

  return {
    rawRecords: () => ofSelection("i.state = 'fetched'", "documents"),
    records: () => recordsOf(ofSelection("i.state = 'fetched'", "documents")),
    unsettled: () => recordsOf(ofSelection("i.state <> 'fetched'", undefined)),
    find: async (id) => {
      const { term, value } = conditionForId(id);
      const [row] = parseRows(db.prepare(selectAsJson(`from items i where ${term} limit 1`)).get(value));
      const [found] = row ? await loadRecords([row], "documents") : [];
      return found && toStoredRecord(found);
    },
    beginningWith: async (beginning, limit) => {
      const from = beginning.toLowerCase();
      // No key contains this character, and it sorts after all others.
      const rows = selectByPrefix.all(from, `${from}\u{10ffff}`, limit) as { id: string }[];
      return rows.map(({ id }) => id);
    },
    list: (filter, { documents = false, tolerant = false } = {}) => {
      const found = recordsOf(batches(pagesOf(filter), documents ? (tolerant ? "tolerant" : "documents") : "links"));
      return documents ? found : withoutMeta(found);
    },
  };
};

async function* recordsOf(batches: AsyncIterable<RawRecord[]>): AsyncGenerator<StoredRecord[]> {
  for await (const batch of batches) yield batch.map(toStoredRecord);
}

async function* withoutMeta(batches: AsyncIterable<StoredRecord[]>): AsyncGenerator<StoredRecord[]> {
  for await (const batch of batches) yield batch.map(({ meta: _, ...record }) => record);
}

const throwUnreadable = (block: number, error: unknown): never => {
  throw new Error(
    `Block ${block} of the archive, which holds documents, cannot be read (${messageOf(error)}). "callarchive verify" names the calls in it; restore a backup, or fetch them again: callarchive pull ID… --refresh.`,
    { cause: error },
  );
};

type Parts = Record<"started" | "unstarted", Terms>;

const copyMember = ({ item, document, meta }: Member): Member => ({
  item,
  document: Buffer.from(document),
  ...(meta && { meta: Buffer.from(meta) }),
});
