import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { partPath } from "../../sinks/atomic-file.ts";
import { makeFolder } from "../../sinks/places.ts";
import { createShuffle } from "../../transforms/shuffle.ts";

/** Lines written behind each other are collected up to this size, in bytes. */
const BATCH = 256 * 1024;

/** Texts on disk, to be read again, in shuffled order if wanted: memory holds where they are, 28 bytes each. */
export class Spool {
  readonly #handle: FileHandle;
  readonly #shuffle: ReturnType<typeof createShuffle> | undefined;
  readonly #path: string;
  #ends = new Float64Array(1024);
  #count = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #size = 0;

  private constructor(handle: FileHandle, path: string, seed: string | undefined) {
    this.#handle = handle;
    this.#path = path;
    if (seed !== undefined) this.#shuffle = createShuffle(seed);
  }

  /**
  @param tag as in the names of other unfinished files, so that leftovers are found
  @param seed of the order; without it the order stays
  */
  static async open(folder: string, tag: string, seed?: string): Promise<Spool> {
    makeFolder(folder);
    const path = partPath(join(folder, `.spool-${randomBytes(4).toString("hex")}`), tag);
    return new Spool(await open(path, "wx+", 0o600), path, seed);
  }

  add(sampleId: string, text: string): void {
    this.#shuffle?.add(sampleId);
    const bytes = Buffer.from(text);
    this.#size += bytes.length;
    if (this.#count === this.#ends.length) {
      const larger = new Float64Array(2 * this.#count);
      larger.set(this.#ends);
      this.#ends = larger;
    }
    this.#ends[this.#count] = this.#size;
    this.#count += 1;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  async flush(atLeast = BATCH): Promise<void> {
    if (this.#waitingBytes < atLeast || this.#waitingBytes === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.#handle.writeFile(bytes);
  }

  /** The texts in the order to write. */
  async *texts(): AsyncGenerator<string> {
    await this.flush(0);
    const order = this.#shuffle?.order();
    for (let at = 0; at < this.#count; at++) {
      const index = order?.[at] ?? at;
      const from = index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
      const length = (this.#ends[index] ?? 0) - from;
      const { buffer } = await this.#handle.read(Buffer.allocUnsafe(length), 0, length, from);
      yield buffer.toString();
    }
  }

  async remove(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.#path, { force: true });
  }
}
