import type { Chunk } from "../../core/ports.ts";

/** In bytes. */
const LEAST = 64 * 1024;

/** Pieces behind each other in one buffer that grows, text as UTF-8. */
export class Gathered {
  #buffer: Buffer;
  #filled = 0;

  /** @param expected about so many bytes */
  constructor(expected: number) {
    // Slow, which means not of the pool: it will be transferred.
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(LEAST, Math.ceil(expected * 1.25)));
  }

  add(data: Chunk): void {
    if (typeof data === "string") {
      // No character takes more than three bytes of UTF-8 for each of its units; counted where that is too much.
      if (this.#filled + data.length * 3 > this.#buffer.length) this.#grow(Buffer.byteLength(data));
      this.#filled += this.#buffer.write(data, this.#filled);
    } else {
      this.#grow(data.length);
      this.#buffer.set(data, this.#filled);
      this.#filled += data.length;
    }
  }

  taken(): Uint8Array {
    return this.#buffer.subarray(0, this.#filled);
  }

  #grow(bytes: number): void {
    const wanted = this.#filled + bytes;
    if (wanted <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#filled);
    this.#buffer = larger;
  }
}
