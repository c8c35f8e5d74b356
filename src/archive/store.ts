import { BLOCK_BYTES, decodeBlock, encodeBlock, type Member, sizeOf, splitIntoBlocks } from "./block.ts";
import { type CompressedBlock, compress, compressSync, decompress, decompressSync, type Effort } from "./codec.ts";
import { type Db, transaction } from "./open.ts";
import { firstRow } from "./rows.ts";

/** Loose blocks are compacted when they reach this size, in bytes. Compaction needs about twice this in memory. */
const COMPACT_AT_BYTES = 16 * 1024 * 1024;

/** A block of sorted documents that is this full is compressed at once for good. */
const FULL_SHARE = 0.6;

/** Free pages that stay in the file for the next writes. */
const KEPT_FREE_PAGES = 64;

/** A block that is ready to be stored. */
export interface PreparedBlock extends CompressedBlock {
  members: readonly Member[];
  /** True when it is loose: a later compaction merges it with others. */
  needsCompaction: boolean;
}

interface BlockRow extends CompressedBlock {
  block: number;
}

/**
Documents in compressed blocks.

A commit stores its documents in loose blocks; compaction sorts the documents of many loose blocks into few large ones,
which compress better. The caller of a write needs a transaction; only `compact` opens its own.
*/
export const store = (db: Db, assertLocked: () => void) => {
  const insert = db.prepare(
    "insert into blocks (codec, loose, raw, size, stored, body) values (?, ?, ?, ?, ?, ?) returning block",
  );
  const selectBlock = db.prepare("select block, codec, size, body from blocks where block = ?");
  const setBlock = db.prepare("update items set block = ? where item in (select value from json_each(?))");
  const setRecordBlock = db.prepare(
    "update records set block = ? where record in (select -value from json_each(?) where value < 0)",
  );
  const uncompactedSize = db.prepare("select coalesce(sum(size), 0) as size from blocks where loose = 1");
  const uncompactedBlocks = db.prepare("select block, size from blocks where loose = 1 order by block");
  const remove = db.prepare("delete from blocks where block = ?");
  const markCompacted = db.prepare("update blocks set loose = 0 where block = ?");
  const order = db.prepare(
    `select i.item as number from items i where i.item in (select value from json_each(?))
     order by i.started_at is null, i.started_at, i.key`,
  );
  // The records of a conversation stand together.
  const orderOfRecords = db.prepare(
    `select -r.record as number from json_each(?) n cross join records r on r.record = -n.value
     join items i on i.item = r.item
     order by i.started_at is null, i.started_at, i.key, r.at is null, r.at, r.source, r.id`,
  );

  const put = ({ codec, size, body, members, needsCompaction }: PreparedBlock): void => {
    const raw = members.reduce((sum, { document }) => sum + document.length, 0);
    const row = insert.get(codec, needsCompaction ? 1 : 0, raw, size, body.byteLength, body);
    const items = JSON.stringify(members.map(({ item }) => item));
    const { block } = firstRow<{ block: number }>(row) as { block: number };
    setBlock.run(block, items);
    if (members.some(({ item }) => item < 0)) setRecordBlock.run(block, items);
  };

  /** The members of a block, by item; none when the block cannot be read. */
  const membersOf = (block: number): Map<number, Member> => {
    const row = firstRow<BlockRow>(selectBlock.get(block));
    try {
      return row ? decodeBlock(decompressSync(row)) : new Map();
    } catch {
      return new Map();
    }
  };

  /** `best` for a block that stays: it is full, or nearly full with documents in order. */
  const effortOf = (part: readonly Member[], inOrder: boolean): Effort =>
    part.reduce((sum, member) => sum + sizeOf(member), 0) >= (inOrder ? FULL_SHARE : 1) * BLOCK_BYTES ? "best" : "fast";

  /** Two at a time: zlib shares its threads with files and DNS, and each compression takes some megabytes. */
  const compressParts = async (
    parts: Member[][],
    effortFor: (part: readonly Member[]) => Effort,
  ): Promise<PreparedBlock[]> => {
    const blocks: PreparedBlock[] = [];
    for (let from = 0; from < parts.length; from += 2) {
      const pair = parts.slice(from, from + 2).map(async (members) => {
        const effort = effortFor(members);
        return { ...(await compress(encodeBlock(members), effort)), members, needsCompaction: effort === "fast" };
      });
      blocks.push(...(await Promise.all(pair)));
    }
    return blocks;
  };

  /** Compresses members ahead of a commit. @param inOrder they continue the last commit in order of start */
  const prepare = (members: readonly Member[], inOrder: boolean): Promise<PreparedBlock[]> => {
    return compressParts(splitIntoBlocks(members), (part) => effortOf(part, inOrder));
  };

  /** Compresses members inside a transaction. */
  const prepareSync = (members: readonly Member[]): PreparedBlock[] =>
    splitIntoBlocks(members).map((part) => {
      const effort = effortOf(part, false);
      return { ...compressSync(encodeBlock(part), effort), members: part, needsCompaction: effort === "fast" };
    });

  /** Stores prepared blocks. */
  const add = (blocks: readonly PreparedBlock[]): void => {
    for (const block of blocks) put(block);
  };

  /**
  Removes items from a block: a new block without their bytes replaces it.

  A damaged block is deleted as a whole, because its members cannot be separated; `verify` names the lost documents.
  */
  const drop = (block: number, items: ReadonlySet<number>): void => {
    const remaining = [...membersOf(block).values()].filter(({ item }) => !items.has(item));
    remove.run(block);
    if (remaining.length > 0)
      put({ ...compressSync(encodeBlock(remaining), "best"), members: remaining, needsCompaction: false });
  };

  /** Replaces loose blocks by blocks sorted by start, then key: neighbours compress better and are read together. */
  const compactBlocks = async (blocks: readonly number[]): Promise<void> => {
    const members = new Map<number, Member>();
    const readable: number[] = [];
    for (const block of blocks) {
      const row = firstRow<BlockRow>(selectBlock.get(block));
      if (!row) return;
      const opened = await decompress(row).then(decodeBlock, () => undefined);
      if (opened) for (const [item, member] of opened) members.set(item, member);
      // A damaged block stays as it is; readers and `verify` report it.
      else markCompacted.run(block);
      if (opened) readable.push(block);
    }
    const numbers = JSON.stringify([...members.keys()]);
    const ordered = [...order.all(numbers), ...orderOfRecords.all(numbers)].flatMap(
      (row) => members.get((row as { number: number }).number) ?? [],
    );
    const compacted = await compressParts(splitIntoBlocks(ordered), () => "best");
    transaction(db, () => {
      assertLocked();
      // A block was replaced meanwhile: the next compaction includes the new one.
      if (readable.some((block) => firstRow(selectBlock.get(block)) === undefined)) return;
      for (const block of readable) remove.run(block);
      for (const block of compacted) put(block);
    });
  };

  let compaction: Promise<void> | undefined;
  /** Compacts some loose blocks in the background; one compaction at a time. */
  const compact = (): Promise<void> => {
    if (compaction) return compaction;
    const blocks: number[] = [];
    let sum = 0;
    for (const { block, size } of uncompactedBlocks.all() as { block: number; size: number }[]) {
      if (sum >= COMPACT_AT_BYTES) break;
      blocks.push(block);
      sum += size;
    }
    compaction = compactBlocks(blocks).finally(() => {
      compaction = undefined;
    });
    return compaction;
  };
  const uncompactedBytes = (): number => (uncompactedSize.get() as { size: number }).size;

  let failure: unknown;
  /** Called after a commit: starts a compaction when needed. Waits only when documents come faster than it compacts. */
  const compactIfNeeded = async (): Promise<void> => {
    if (failure !== undefined) throw failure;
    const size = uncompactedBytes();
    if (size < COMPACT_AT_BYTES) return;
    const done = compact().catch((error: unknown) => {
      failure = error;
    });
    if (size > 4 * COMPACT_AT_BYTES) await done;
  };

  /** Called at the end of a run: compacts what makes at least one block, and returns free space to the system. */
  const finish = async (): Promise<void> => {
    await compaction;
    while (uncompactedBytes() >= BLOCK_BYTES) await compact();
    const { freelist_count: free } = db.prepare("pragma freelist_count").get() as { freelist_count: number };
    if (free > KEPT_FREE_PAGES) db.exec("pragma incremental_vacuum");
  };

  return { prepare, prepareSync, add, drop, membersOf, compactIfNeeded, finish, compaction: () => compaction };
};

export type Store = ReturnType<typeof store>;
