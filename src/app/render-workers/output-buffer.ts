import type { Chunk } from "../../core/ports.ts";

/** In bytes. */
const LEAST = 64 * 1024;
/** Each further buffer, where the first was too small. */
const NEXT = 1024 * 1024;

/** Pieces behind each other in a few buffers, text as UTF-8: a buffer that is full stays as it is, and another begins. */
export class OutputBuffer {
  #buffer: Buffer;
  #filled = 0;
  readonly #full: Uint8Array[] = [];

  /** @param expected about so many bytes */
  constructor(expected: number) {
    // Slow, which means not of the pool: it will be transferred.
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(LEAST, Math.ceil(expected * 1.25)));
  }

  add(data: Chunk): void {
    if (typeof data === "string") {
      // No character takes more than three bytes of UTF-8 for each of its units; counted where that is too much.
      if (this.#filled + data.length * 3 > this.#buffer.length) this.#makeRoom(Buffer.byteLength(data));
      this.#filled += this.#buffer.write(data, this.#filled);
    } else {
      this.#makeRoom(data.length);
      this.#buffer.set(data, this.#filled);
      this.#filled += data.length;
    }
  }

  taken(): Uint8Array[] {
    return [...this.#full, this.#buffer.subarray(0, this.#filled)];
  }

  #makeRoom(bytes: number): void {
    if (this.#filled + bytes <= this.#buffer.length) return;
    if (this.#filled > 0) this.#full.push(this.#buffer.subarray(0, this.#filled));
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(bytes, NEXT));
    this.#filled = 0;
  }
}
