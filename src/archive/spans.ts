/** Numbers in one chunk. */
const CHUNK = 8192;

/** A set of whole numbers with one bit for each: a million take 125 KB in any order. */
export class Spans {
  readonly #chunks = new Map<number, Uint8Array>();

  add(number: number): void {
    const at = Math.floor(number / CHUNK);
    let chunk = this.#chunks.get(at);
    if (!chunk) {
      chunk = new Uint8Array(CHUNK / 8);
      this.#chunks.set(at, chunk);
    }
    const bit = number % CHUNK;
    chunk[bit >> 3] = (chunk[bit >> 3] ?? 0) | (1 << (bit & 7));
  }

  /** The first and last number of each run of consecutive numbers, in order. */
  *spans(): Generator<[first: number, last: number]> {
    let first: number | undefined;
    let next = 0;
    for (const [at, chunk] of [...this.#chunks].sort(([one], [other]) => one - other))
      for (let bit = 0; bit < CHUNK; bit += 1) {
        if (((chunk[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) continue;
        const number = at * CHUNK + bit;
        if (first !== undefined && number !== next) {
          yield [first, next - 1];
          first = undefined;
        }
        first ??= number;
        next = number + 1;
      }
    if (first !== undefined) yield [first, next - 1];
  }
}
