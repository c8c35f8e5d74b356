/** A shingle in more rows is the agent's script, and counts nowhere. */
const MOST_ROWS = 1000;
/** Rows are numbered below this, so that a shingle and a row fit into one number. */
const ROWS = 2 ** 21;
const FILTER_BITS = 24;

/** Tells which rows have a shingle. Filled first; sorted at the first question. */
export class ShingleIndex {
  /** `shingle * ROWS + row`, sorted once `#sizes` is there. */
  #entries = new Float64Array(1024);
  #length = 0;
  /** How many shingles each row has, without those of the script. */
  #sizes: Uint32Array | undefined;
  readonly #script = new Set<number>();
  /** Which shingles may be there, by their highest bits. */
  readonly #filter = new Uint32Array(2 ** (FILTER_BITS - 5));
  #rows = 0;

  /** @throws RangeError for more than two million rows */
  add(row: number, shingles: ArrayLike<number>): void {
    if (row >= ROWS) throw new RangeError(`more than ${ROWS} rows`);
    this.#rows = Math.max(this.#rows, row + 1);
    for (let at = 0; at < shingles.length; at++) this.#push((shingles[at] ?? 0) >>> 0, row);
  }

  sizeOf(row: number): number {
    return this.#sorted()[row] ?? 0;
  }

  /** Counts how many different shingles of a dialog each row has. */
  counter() {
    const counts = new Map<number, number>();
    let size = 0;
    return {
      /** Adds a shingle, which must be new. */
      add: (shingle: number): void => {
        this.#sorted();
        const hash = shingle >>> 0;
        if (this.#script.has(hash)) return;
        size += 1;
        if (!this.#mayHave(hash)) return;
        for (let at = this.#find(hash * ROWS); at < this.#length; at++) {
          const entry = this.#entries[at] ?? 0;
          if (entry >= (hash + 1) * ROWS) break;
          const row = entry % ROWS;
          counts.set(row, (counts.get(row) ?? 0) + 1);
        }
      },
      counts: (): ReadonlyMap<number, number> => counts,
      /** How many shingles the dialog has, without those of the script. */
      get size() {
        return size;
      },
    };
  }

  #push(hash: number, row: number): void {
    if (this.#length === this.#entries.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    this.#entries[this.#length++] = hash * ROWS + row;
    const bit = hash >>> (32 - FILTER_BITS);
    this.#filter[bit >>> 5] = (this.#filter[bit >>> 5] ?? 0) | (1 << (bit & 31));
  }

  #mayHave(hash: number): boolean {
    const bit = hash >>> (32 - FILTER_BITS);
    return ((this.#filter[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }

  /** Sorts the entries and removes those of the script. */
  #sorted(): Uint32Array {
    if (this.#sizes) return this.#sizes;
    const entries = this.#entries.subarray(0, this.#length).sort();
    this.#sizes = new Uint32Array(this.#rows);
    let kept = 0;
    for (let from = 0, end = 0; from < entries.length; from = end) {
      const hash = Math.floor((entries[from] ?? 0) / ROWS);
      while (end < entries.length && Math.floor((entries[end] ?? 0) / ROWS) === hash) end += 1;
      if (end - from > MOST_ROWS) this.#script.add(hash);
      else
        for (let at = from; at < end; at++) {
          const entry = entries[at] ?? 0;
          this.#sizes[entry % ROWS] = (this.#sizes[entry % ROWS] ?? 0) + 1;
          entries[kept++] = entry;
        }
    }
    this.#length = kept;
    return this.#sizes;
  }

  /** The first entry that is at least this. */
  #find(entry: number): number {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] ?? 0) < entry) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
