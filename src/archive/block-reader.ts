import { messageOf } from "../core/errors.ts";
import { decodeBlock, type Member } from "./block.ts";
import { type CompressedBlock, decompress } from "./codec.ts";
import type { Db } from "./open.ts";
import type { RecordRow } from "./parts.ts";
import { firstRow, type ItemRow } from "./rows.ts";

/** Cache of decompressed blocks, in bytes: calls of one time may be in as many blocks as there were runs. */
const CACHE_BYTES = 12 * 1024 * 1024;

/** Members of blocks, by number. */
export type Members = ReadonlyMap<number, Member>;

/** Reads blocks, and keeps some of them decompressed. */
export const blockReader = (db: Db) => {
  const block = db.prepare("select codec, size, body from blocks where block = ?");
  const cache = new Map<number, { opened: Promise<Members>; bytes: number }>();
  let cacheBytes = 0;

  /** The members of a block. Its row is read synchronously, so inside the caller's transaction. */
  const open = (number: number): Promise<Members> => {
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

  const addToCache = (number: number, bytes: Buffer): Members => {
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

  /** The members of rows and of their records, by number. Each block is read once. */
  const membersOf = async (
    rows: readonly ItemRow[],
    recordsByItem: ReadonlyMap<number, readonly RecordRow[]>,
    tolerant: boolean,
  ): Promise<Members> => {
    const itemsByBlock = new Map<number, number[]>();
    const want = (number: number | null, item: number): void => {
      if (number === null) return;
      const items = itemsByBlock.get(number);
      if (items) items.push(item);
      else itemsByBlock.set(number, [item]);
    };
    for (const { item, block: number } of rows) want(number, item);
    for (const records of recordsByItem.values())
      for (const { record, block: number } of records) want(number, -record);
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

  return { membersOf };
};

const throwUnreadable = (block: number, error: unknown): never => {
  throw new Error(
    `Block ${block} of the archive, which holds documents, cannot be read (${messageOf(error)}). "callarchive verify" names the calls in it; restore a backup, or fetch them again: callarchive pull ID… --refresh.`,
    { cause: error },
  );
};

const copyMember = ({ item, document, meta }: Member): Member => ({
  item,
  document: Buffer.from(document),
  ...(meta && { meta: Buffer.from(meta) }),
});
