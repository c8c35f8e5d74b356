import { mixed } from "./shingles.ts";

/** Rows per array: the table grows by arrays, so that nothing is copied. */
const PIECE = 1 << 14;

/** A growing table whose rows have a fixed number of 32-bit words. */
export class Rows {
  readonly #words: number;
  readonly #pieces: Uint32Array[] = [];
  length = 0;

  constructor(words: number) {
    this.#words = words;
  }

  push(row: ArrayLike<number>): void {
    if (this.length % PIECE === 0) this.#pieces.push(new Uint32Array(PIECE * this.#words));
    this.piece(this.length).set(row, this.at(this.length));
    this.length += 1;
  }

  /** The array that contains a row, from `at(row)` on. */
  piece(row: number): Uint32Array {
    const piece = this.#pieces[Math.floor(row / PIECE)];
    if (piece === undefined) throw new RangeError(`no row ${row}`);
    return piece;
  }

  at(row: number): number {
    return (row % PIECE) * this.#words;
  }
}

/**
A hash table that finds rows by their keys. A row begins with `keys` keys of `words` words each. Each key takes 4 bytes in
a chain and 4 to 8 bytes in the heads; the keys themselves are read from the rows.
*/
export class Chains {
  readonly #rows: Rows;
  readonly #keys: number;
  readonly #words: number;
  readonly #next: Rows;
  #heads = new Int32Array(1024).fill(-1);

  constructor(rows: Rows, keys: number, words: number) {
    this.#rows = rows;
    this.#keys = keys;
    this.#words = words;
    this.#next = new Rows(keys);
  }

  /** Adds the newest row. */
  add(): void {
    const row = this.#next.length;
    this.#next.push(new Uint32Array(this.#keys));
    if (this.#next.length * this.#keys > this.#heads.length) {
      this.#heads = new Int32Array(2 * this.#heads.length).fill(-1);
      for (let old = 0; old < row; old++) this.#link(old);
    }
    this.#link(row);
  }

  /** Calls `each` with the rows that have the same key at this index as `row`, newest first, until it returns "stop". */
  find(row: Uint32Array, key: number, each: (found: number) => "on" | "stop"): void {
    const at = key * this.#words;
    let entry = this.#heads[this.#slot(row, at, key)] ?? -1;
    while (entry >= 0) {
      const found = Math.floor(entry / this.#keys);
      if (entry % this.#keys === key && this.#isSame(row, at, found) && each(found) === "stop") return;
      entry = (this.#next.piece(found)[this.#next.at(found) + (entry % this.#keys)] ?? 0) | 0;
    }
  }

  #link(row: number): void {
    const [words, from] = [this.#rows.piece(row), this.#rows.at(row)];
    const [chain, at] = [this.#next.piece(row), this.#next.at(row)];
    for (let key = 0; key < this.#keys; key++) {
      const slot = this.#slot(words, from + key * this.#words, key);
      chain[at + key] = this.#heads[slot] ?? -1;
      this.#heads[slot] = row * this.#keys + key;
    }
  }

  #isSame(row: Uint32Array, at: number, found: number): boolean {
    const [words, from] = [this.#rows.piece(found), this.#rows.at(found) + at];
    for (let word = 0; word < this.#words; word++) if (words[from + word] !== row[at + word]) return false;
    return true;
  }

  #slot(words: Uint32Array, at: number, key: number): number {
    let hash = key;
    for (let word = 0; word < this.#words; word++) hash = mixed(Math.imul(hash, 31) ^ (words[at + word] ?? 0));
    return hash & (this.#heads.length - 1);
  }
}
