import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Chunk } from "../core/ports.ts";
import { makeFolder } from "./places.ts";

/** What a manifest says of one file. */
export interface FileFacts {
  /** Relative to the manifest. */
  name: string;
  rows: number;
  bytes: number;
  sha256: string;
}

/** Text is encoded into buffers of this size, in bytes, which are used again: each write costs a trip to a thread. */
const BUFFER = 256 * 1024;

/** The path of an unfinished file. @param tag unique for each run */
export const partPath = (path: string, tag: string): string => `${path}.${tag}.part`;

/** The final name of an unfinished file; undefined if it does not have this tag. */
export const nameOfPart = (part: string, tag: string): string | undefined => {
  const ending = partPath("", tag);
  return part.endsWith(ending) ? part.slice(0, -ending.length) : undefined;
};

/** Renames a sealed file to its final name, when its `AtomicFile` is not kept. */
export const publishPart = (path: string, tag: string): Promise<void> => rename(partPath(path, tag), path);

/** Deletes an unfinished file, if it exists. */
export const discardPart = (path: string, tag: string): Promise<void> => rm(partPath(path, tag), { force: true });

/**
A file that appears under its name only when it is whole: until `publish` it is `<name>.<tag>.part`.

Mode 0600 unless another is given. `add` never waits; `flush` lets what was added reach the file.
*/
export class AtomicFile {
  readonly path: string;
  readonly #part: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #buffer: Buffer | undefined;
  #filled = 0;
  /** Buffers of this file's own: no others are filled again. */
  readonly #own = new WeakSet<ArrayBufferLike>();
  readonly #free: Buffer[] = [];
  #waiting: Uint8Array[] = [];
  /** What is being written while the next pieces are made. */
  #writing: Promise<void> = Promise.resolve();
  #sealed = false;
  rows = 0;
  bytes = 0;

  private constructor(path: string, part: string, handle: FileHandle) {
    this.path = path;
    this.#part = part;
    this.#handle = handle;
  }

  /** @param tag tells parts of different runs apart: unique */
  static async open(path: string, tag: string, mode = 0o600): Promise<AtomicFile> {
    makeFolder(dirname(path));
    const part = partPath(path, tag);
    const handle = await open(part, "wx", mode);
    // Whatever the umask says: a mode that others may read was asked for.
    if (mode !== 0o600) await handle.chmod(mode);
    return new AtomicFile(path, part, handle);
  }

  add(data: Chunk, rows = 0): void {
    this.rows += rows;
    if (typeof data === "string") {
      // No character takes more than three bytes of UTF-8 for each of its units.
      if (data.length * 3 <= BUFFER) {
        const buffer = this.#room(data.length * 3);
        this.#filled += buffer.write(data, this.#filled);
      } else this.#push(Buffer.from(data));
    } else if (this.#buffer && data.length <= BUFFER - this.#filled) {
      this.#buffer.set(data, this.#filled);
      this.#filled += data.length;
    } else this.#push(data);
  }

  /** Waits for what was given to it the time before: at most that and this are held. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#full();
    const pieces = this.#waiting;
    this.#waiting = [];
    this.#writing = this.#write(pieces);
    // Heard of by the next flush, or by `seal`.
    this.#writing.catch(() => undefined);
  }

  /** Writes everything to disk and closes the file, which keeps the part's name. Calling it again does nothing. */
  async seal(): Promise<void> {
    if (this.#sealed) return;
    this.#sealed = true;
    await this.flush();
    await this.#writing;
    await this.#handle.sync();
    await this.#handle.close();
  }

  async #write(pieces: readonly Uint8Array[]): Promise<void> {
    for (const bytes of pieces) {
      // writeFile on a handle goes on where it stands, and writes on after a short write.
      const written = this.#handle.writeFile(bytes);
      this.#hash.update(bytes);
      this.bytes += bytes.length;
      await written;
      if (this.#own.has(bytes.buffer)) this.#free.push(Buffer.from(bytes.buffer));
    }
  }

  /** Makes a sealed file visible; `as` for a name that is known only now, in the same folder. */
  async publish(as = this.path): Promise<void> {
    await rename(this.#part, as);
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
    await rm(this.#part, { force: true });
  }

  /** Of a sealed file. */
  facts(name = basename(this.path)): FileFacts {
    return { name, rows: this.rows, bytes: this.bytes, sha256: this.#hash.copy().digest("hex") };
  }

  /** A buffer with so much room at its end. */
  #room(bytes: number): Buffer {
    if (this.#buffer && bytes > BUFFER - this.#filled) this.#full();
    this.#buffer ??= this.#free.pop() ?? this.#made();
    return this.#buffer;
  }

  #made(): Buffer {
    const buffer = Buffer.allocUnsafeSlow(BUFFER);
    this.#own.add(buffer.buffer);
    return buffer;
  }

  /** The buffer is ready to be written. */
  #full(): void {
    if (this.#buffer) this.#waiting.push(this.#buffer.subarray(0, this.#filled));
    this.#buffer = undefined;
    this.#filled = 0;
  }

  #push(bytes: Uint8Array): void {
    this.#full();
    this.#waiting.push(bytes);
  }
}

/** Fills a file that appears under its name only when it is whole; when `fill` throws, nothing is left behind. */
export const writeAtomically = async (
  path: string,
  tag: string,
  fill: (file: AtomicFile) => void | Promise<void>,
  mode = 0o600,
): Promise<void> => {
  const file = await AtomicFile.open(path, tag, mode);
  try {
    await fill(file);
    await file.seal();
    await file.publish();
  } catch (error) {
    await file.discard();
    throw error;
  }
  await syncFolder(dirname(path));
};

/** Makes renames in a folder survive a power cut. */
export const syncFolder = async (path: string): Promise<void> => {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
