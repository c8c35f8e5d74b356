import { BLOCK_BYTES, decodeBlock, encodeBlock, type Member, sizeOf, splitIntoBlocks } from "./block.ts";
import { type CompressedBlock, compress, compressNow, type Effort, expand, expandNow } from "./codec.ts";
import { type Db, transaction } from "./open.ts";
import { one } from "./rows.ts";

/** Loose blocks are put in order when they hold so much, in bytes. What is in memory meanwhile is about twice that. */
const LOOSE_BYTES = 16 * 1024 * 1024;

/** So much of a block is worth compressing once, for good. */
const ENOUGH = 0.6;

/** So many free pages are left for what comes next. */
const SPARE_PAGES = 64;

/** A block that is ready to be stored. */
export interface PreparedBlock extends CompressedBlock {
  members: readonly Member[];
  /** To be put in order later. */
  isLoose: boolean;
}

interface BlockRow extends CompressedBlock {
  block: number;
}

/** Documents in blocks. What writes here is called inside of a transaction, but for `tidy`, which makes its own. */
export const store = (db: Db, held: () => void) => {
  const insert = db.prepare(
    "insert into blocks (codec, loose, raw, size, stored, body) values (?, ?, ?, ?, ?, ?) returning block",
  );
  const read = db.prepare("select block, codec, size, body from blocks where block = ?");
  const place = db.prepare("update items set block = ? where item in (select value from json_each(?))");
  const loose = db.prepare("select coalesce(sum(size), 0) as size from blocks where loose = 1");
  const firstLoose = db.prepare("select block, size from blocks where loose = 1 order by block");
  const remove = db.prepare("delete from blocks where block = ?");
  const leaveAlone = db.prepare("update blocks set loose = 0 where block = ?");
  const order = db.prepare(
    `select i.item from items i where i.item in (select value from json_each(?))
     order by i.started_at is null, i.started_at, i.key`,
  );

  const put = ({ codec, size, body, members, isLoose }: PreparedBlock): void => {
    const raw = members.reduce((sum, { document }) => sum + document.length, 0);
    const row = insert.get(codec, isLoose ? 1 : 0, raw, size, body.byteLength, body);
    const items = JSON.stringify(members.map(({ item }) => item));
    place.run((one<{ block: number }>(row) as { block: number }).block, items);
  };

  /** Of a block that cannot be read, none. */
  const membersOf = (block: number): Map<number, Member> => {
    const row = one<BlockRow>(read.get(block));
    try {
      return row ? decodeBlock(expandNow(row)) : new Map();
    } catch {
      return new Map();
    }
  };

  /** A document that fills a block is where it will stay, and so are those that nearly fill one if they are in order. */
  const effortOf = (part: readonly Member[], inOrder: boolean): Effort =>
    part.reduce((sum, member) => sum + sizeOf(member), 0) >= (inOrder ? ENOUGH : 1) * BLOCK_BYTES ? "well" : "quick";

  /** Two at a time: zlib's threads are also those of files and of names, and each takes some megabytes. */
  const packed = async (
    parts: Member[][],
    effortFor: (part: readonly Member[]) => Effort,
  ): Promise<PreparedBlock[]> => {
    const ready: PreparedBlock[] = [];
    for (let from = 0; from < parts.length; from += 2) {
      const two = parts.slice(from, from + 2).map(async (members) => {
        const effort = effortFor(members);
        return { ...(await compress(encodeBlock(members), effort)), members, isLoose: effort === "quick" };
      });
      ready.push(...(await Promise.all(two)));
    }
    return ready;
  };

  /** @param inOrder they follow, by their start, what was stored before */
  const prepared = (members: readonly Member[], inOrder: boolean): Promise<PreparedBlock[]> => {
    return packed(splitIntoBlocks(members), (part) => effortOf(part, inOrder));
  };

  const preparedNow = (members: readonly Member[]): PreparedBlock[] =>
    splitIntoBlocks(members).map((part) => {
      const effort = effortOf(part, false);
      return { ...compressNow(encodeBlock(part), effort), members: part, isLoose: effort === "quick" };
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
    const left = [...membersOf(block).values()].filter(({ item }) => !items.has(item));
    remove.run(block);
    if (left.length > 0) put({ ...compressNow(encodeBlock(left), "well"), members: left, isLoose: false });
  };

  /** All loose documents by start, then key: those that belong together compress better, and are read together. */
  const tidied = async (blocks: readonly number[]): Promise<void> => {
    const members = new Map<number, Member>();
    const whole: number[] = [];
    for (const block of blocks) {
      const row = one<BlockRow>(read.get(block));
      if (!row) return;
      const opened = await expand(row).then(decodeBlock, () => undefined);
      if (opened) for (const [item, member] of opened) members.set(item, member);
      // Damaged: it stays as it is, for others to tell of.
      else leaveAlone.run(block);
      if (opened) whole.push(block);
    }
    const ordered = (order.all(JSON.stringify([...members.keys()])) as { item: number }[]).flatMap(
      ({ item }) => members.get(item) ?? [],
    );
    const tight = await packed(splitIntoBlocks(ordered), () => "well");
    transaction(db, () => {
      held();
      // A block that was replaced meanwhile has lost a member: the next time will do.
      if (whole.some((block) => one(read.get(block)) === undefined)) return;
      for (const block of whole) remove.run(block);
      for (const block of tight) put(block);
    });
  };

  let tidying: Promise<void> | undefined;
  /** Puts some loose blocks in order, beside whatever else is done; one such work at a time. */
  const tidy = (): Promise<void> => {
    if (tidying) return tidying;
    const blocks: number[] = [];
    let sum = 0;
    for (const { block, size } of firstLoose.all() as { block: number; size: number }[]) {
      if (sum >= LOOSE_BYTES) break;
      blocks.push(block);
      sum += size;
    }
    tidying = tidied(blocks).finally(() => {
      tidying = undefined;
    });
    return tidying;
  };
  const disorder = (): number => (loose.get() as { size: number }).size;

  let failure: unknown;
  /** After a commit. Waits only when documents come faster than they can be put in order. */
  const keepUp = async (): Promise<void> => {
    if (failure !== undefined) throw failure;
    const size = disorder();
    if (size < LOOSE_BYTES) return;
    const done = tidy().catch((error: unknown) => {
      failure = error;
    });
    if (size > 4 * LOOSE_BYTES) await done;
  };

  /** At the end of a run: what it leaves in disorder is put in order where that is worth it, and space is given back. */
  const settle = async (): Promise<void> => {
    await tidying;
    while (disorder() >= BLOCK_BYTES) await tidy();
    const { freelist_count: free } = db.prepare("pragma freelist_count").get() as { freelist_count: number };
    if (free > SPARE_PAGES) db.exec("pragma incremental_vacuum");
  };

  return { prepared, preparedNow, add, drop, membersOf, keepUp, settle, tidying: () => tidying };
};

export type Store = ReturnType<typeof store>;
