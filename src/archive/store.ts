import { BLOCK_BYTES, decodeBlock, encodeBlock, type Member, sizeOf, splitIntoBlocks } from "./block.ts";
import { type CompressedBlock, compress, compressSync, decompress, decompressSync, type Effort } from "./codec.ts";
import { type Db, transaction } from "./open.ts";
import { firstRow } from "./rows.ts";

/** Loose blocks are put in order when they hold so much, in bytes. What is in memory meanwhile is about twice that. */
const COMPACT_AT_BYTES = 16 * 1024 * 1024;

/** So much of a block is worth compressing once, for good. */
const FULL_SHARE = 0.6;

/** So many free pages are left for what comes next. */
const KEPT_FREE_PAGES = 64;

/** A block that is ready to be stored. */
export interface PreparedBlock extends CompressedBlock {
  members: readonly Member[];
  /** To be put in order later. */
  needsCompaction: boolean;
}

interface BlockRow extends CompressedBlock {
  block: number;
}

/** Documents in blocks. What writes here is called inside of a transaction, but for `tidy`, which makes its own. */
export const store = (db: Db, assertLocked: () => void) => {
  const insert = db.prepare(
    "insert into blocks (codec, loose, raw, size, stored, body) values (?, ?, ?, ?, ?, ?) returning block",
  );
  const selectBlock = db.prepare("select block, codec, size, body from blocks where block = ?");
  const setBlock = db.prepare("update items set block = ? where item in (select value from json_each(?))");
  const uncompactedSize = db.prepare("select coalesce(sum(size), 0) as size from blocks where loose = 1");
  const uncompactedBlocks = db.prepare("select block, size from blocks where loose = 1 order by block");
  const remove = db.prepare("delete from blocks where block = ?");
  const markCompacted = db.prepare("update blocks set loose = 0 where block = ?");
  const order = db.prepare(
    `select i.item from items i where i.item in (select value from json_each(?))
     order by i.started_at is null, i.started_at, i.key`,
  );

  const put = ({ codec, size, body, members, needsCompaction }: PreparedBlock): void => {
    const raw = members.reduce((sum, { document }) => sum + document.length, 0);
    const row = insert.get(codec, needsCompaction ? 1 : 0, raw, size, body.byteLength, body);
    const items = JSON.stringify(members.map(({ item }) => item));
    setBlock.run((firstRow<{ block: number }>(row) as { block: number }).block, items);
  };

  /** Of a block that cannot be read, none. */
  const membersOf = (block: number): Map<number, Member> => {
    const row = firstRow<BlockRow>(selectBlock.get(block));
    try {
      return row ? decodeBlock(decompressSync(row)) : new Map();
    } catch {
      return new Map();
    }
  };

  /** A document that fills a block is where it will stay, and so are those that nearly fill one if they are in order. */
  const effortOf = (part: readonly Member[], inOrder: boolean): Effort =>
    part.reduce((sum, member) => sum + sizeOf(member), 0) >= (inOrder ? FULL_SHARE : 1) * BLOCK_BYTES ? "best" : "fast";

  /** Two at a time: zlib's threads are also those of files and of names, and each takes some megabytes. */
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

  /** @param inOrder they follow, by their start, what was stored before */
  const prepare = (members: readonly Member[], inOrder: boolean): Promise<PreparedBlock[]> => {
    return compressParts(splitIntoBlocks(members), (part) => effortOf(part, inOrder));
  };

  const prepareSync = (members: readonly Member[]): PreparedBlock[] =>
    splitIntoBlocks(members).map((part) => {
      const effort = effortOf(part, false);
      return { ...compressSync(encodeBlock(part), effort), members: part, needsCompaction: effort === "fast" };
    });

  /** Stores what was prepared. */
  const add = (blocks: readonly PreparedBlock[]): void => {
    for (const block of blocks) put(block);
  };

  /**
  Takes items out of a block: it is replaced by one without them, and none of their bytes stays.

  One that is damaged goes as a whole: it cannot be told apart what is whose, and `verify` names what is lost.
  */
  const drop = (block: number, items: ReadonlySet<number>): void => {
    const remaining = [...membersOf(block).values()].filter(({ item }) => !items.has(item));
    remove.run(block);
    if (remaining.length > 0)
      put({ ...compressSync(encodeBlock(remaining), "best"), members: remaining, needsCompaction: false });
  };

  /** All loose documents by start, then key: those that belong together compress better, and are read together. */
  const compactBlocks = async (blocks: readonly number[]): Promise<void> => {
    const members = new Map<number, Member>();
    const readable: number[] = [];
    for (const block of blocks) {
      const row = firstRow<BlockRow>(selectBlock.get(block));
      if (!row) return;
      const opened = await decompress(row).then(decodeBlock, () => undefined);
      if (opened) for (const [item, member] of opened) members.set(item, member);
      // Damaged: it stays as it is, for others to tell of.
      else markCompacted.run(block);
      if (opened) readable.push(block);
    }
    const ordered = (order.all(JSON.stringify([...members.keys()])) as { item: number }[]).flatMap(
      ({ item }) => members.get(item) ?? [],
    );
    const compacted = await compressParts(splitIntoBlocks(ordered), () => "best");
    transaction(db, () => {
      assertLocked();
      // A block that was replaced meanwhile has lost a member: the next time will do.
      if (readable.some((block) => firstRow(selectBlock.get(block)) === undefined)) return;
      for (const block of readable) remove.run(block);
      for (const block of compacted) put(block);
    });
  };

  let compaction: Promise<void> | undefined;
  /** Puts some loose blocks in order, beside whatever else is done; one such work at a time. */
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
  /** After a commit. Waits only when documents come faster than they can be put in order. */
  const compactIfNeeded = async (): Promise<void> => {
    if (failure !== undefined) throw failure;
    const size = uncompactedBytes();
    if (size < COMPACT_AT_BYTES) return;
    const done = compact().catch((error: unknown) => {
      failure = error;
    });
    if (size > 4 * COMPACT_AT_BYTES) await done;
  };

  /** At the end of a run: what it leaves in disorder is put in order where that is worth it, and space is given back. */
  const finish = async (): Promise<void> => {
    await compaction;
    while (uncompactedBytes() >= BLOCK_BYTES) await compact();
    const { freelist_count: free } = db.prepare("pragma freelist_count").get() as { freelist_count: number };
    if (free > KEPT_FREE_PAGES) db.exec("pragma incremental_vacuum");
  };

  return { prepare, prepareSync, add, drop, membersOf, compactIfNeeded, finish, compaction: () => compaction };
};

export type Store = ReturnType<typeof store>;
