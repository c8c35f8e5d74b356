/** A document, and the service's answer about its call as JSON (`meta`); or the data of a record. */
export interface Member {
  /** Of a document; of a record, the negative of its number. */
  item: number;
  document: Uint8Array;
  meta?: Uint8Array;
}

/** Bytes of one block before compression. Larger blocks compress better, but reading a single call gets slower. */
export const BLOCK_BYTES = 384 * 1024;

const NOTHING = new Uint8Array();
/** Bytes of one member in the head of a block: item, length of meta, length of document. */
const ENTRY = 16;

export const sizeOf = ({ document, meta }: Member): number => document.length + (meta?.length ?? 0);

/** The bytes of a block: the number of members, their items and lengths, then meta and document of each. */
export const encodeBlock = (members: readonly Member[]): Uint8Array => {
  const head = Buffer.alloc(4 + ENTRY * members.length);
  head.writeUInt32LE(members.length, 0);
  const pieces: Uint8Array[] = [head];
  for (const [at, { item, document, meta = NOTHING }] of members.entries()) {
    head.writeDoubleLE(item, 4 + ENTRY * at);
    head.writeUInt32LE(meta.length, 12 + ENTRY * at);
    head.writeUInt32LE(document.length, 16 + ENTRY * at);
    pieces.push(meta, document);
  }
  return Buffer.concat(pieces);
};

/**
The members of a block, by item. They are views of its bytes, not copies.

@throws Error when the block is not complete
*/
export const decodeBlock = (bytes: Buffer): Map<number, Member> => {
  const members = new Map<number, Member>();
  const count = bytes.readUInt32LE(0);
  let from = 4 + ENTRY * count;
  const take = (length: number): Uint8Array => {
    from += length;
    if (from > bytes.length) throw new Error("A block of the archive is incomplete.");
    return bytes.subarray(from - length, from);
  };
  for (let at = 4; at < 4 + ENTRY * count; at += ENTRY) {
    const item = bytes.readDoubleLE(at);
    const meta = take(bytes.readUInt32LE(at + 8));
    const document = take(bytes.readUInt32LE(at + 12));
    members.set(item, { item, document, ...(meta.length > 0 && { meta }) });
  }
  return members;
};

/** Splits members, in their order, into blocks of at most `BLOCK_BYTES`. A larger document gets a block of its own. */
export const splitIntoBlocks = (members: readonly Member[]): Member[][] => {
  const blocks: Member[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const member of members) {
    size += sizeOf(member);
    if (size > BLOCK_BYTES) {
      blocks.push([]);
      size = sizeOf(member);
    }
    blocks.at(-1)?.push(member);
  }
  return blocks;
};
