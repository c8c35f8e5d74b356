import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Chunk } from "../core/ports.ts";
import { makeFolder } from "./places.ts";

/** A file as its manifest describes it. */
export interface FileFacts {
  /** Relative to the manifest. */
  name: string;
  rows: number;
  bytes: number;
  sha256: string;
}

/** Size of a write buffer, in bytes. Text is collected in buffers, because every write runs on another thread. */
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
A file that appears under its name only when it is complete: until `publish` its name is `<name>.<tag>.part`.

Its mode is 0600 unless another is given. `add` only collects; `flush` writes.
*/
export class AtomicFile {
  readonly path: string;
  readonly #part: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #buffer: Buffer | undefined;
  #filled = 0;
  /** Buffers that this file allocated; only these are reused. */
  readonly #ownBuffers = new WeakSet<ArrayBufferLike>();
  readonly #freeBuffers: Buffer[] = [];
  #waiting: Uint8Array[] = [];
  /** The write that runs while the next pieces are added. */
  #writing: Promise<void> = Promise.resolve();
  #sealed = false;
  rows = 0;
  bytes = 0;

  private constructor(path: string, part: string, handle: FileHandle) {
    this.path = path;
    this.#part = part;
    this.#handle = handle;
  }

  /** Creates the part file. @param tag unique for each run */
  static async open(path: string, tag: string, mode = 0o600): Promise<AtomicFile> {
    makeFolder(dirname(path));
    const part = partPath(path, tag);
    const handle = await open(part, "wx", mode);
    // `open` applies the umask, which may remove bits of a requested mode.
    if (mode !== 0o600) await handle.chmod(mode);
    return new AtomicFile(path, part, handle);
  }

  /** Adds data without waiting. @param rows rows that the data completes */
  add(data: Chunk, rows = 0): void {
    this.rows += rows;
    if (typeof data === "string") {
      // A UTF-16 unit takes at most three bytes of UTF-8.
      if (data.length * 3 <= BUFFER) {
        const buffer = this.#bufferFor(data.length * 3);
        this.#filled += buffer.write(data, this.#filled);
      } else this.#queue(Buffer.from(data));
    } else if (this.#buffer && data.length <= BUFFER - this.#filled) {
      this.#buffer.set(data, this.#filled);
      this.#filled += data.length;
    } else this.#queue(data);
  }

  /** Starts writing what was added, after the write of the previous flush: memory holds at most these two. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#queueBuffer();
    const pieces = this.#waiting;
    this.#waiting = [];
    this.#writing = this.#write(pieces);
    // The next flush or `seal` throws the error.
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
      // writeFile on a handle continues at the current position, and repeats after a short write.
      const written = this.#handle.writeFile(bytes);
      this.#hash.update(bytes);
      this.bytes += bytes.length;
      await written;
      if (this.#ownBuffers.has(bytes.buffer)) this.#freeBuffers.push(Buffer.from(bytes.buffer));
    }
  }

  /** Renames a sealed file to its name, or to `as`, a name in the same folder. */
  async publish(as = this.path): Promise<void> {
    await rename(this.#part, as);
  }

  /** Closes and deletes the part file. */
  async discard(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
    await rm(this.#part, { force: true });
  }

  /** Facts about a sealed file. */
  facts(name = basename(this.path)): FileFacts {
    return { name, rows: this.rows, bytes: this.bytes, sha256: this.#hash.copy().digest("hex") };
  }

  /** A buffer with space for this many bytes. */
  #bufferFor(bytes: number): Buffer {
    if (this.#buffer && bytes > BUFFER - this.#filled) this.#queueBuffer();
    this.#buffer ??= this.#freeBuffers.pop() ?? this.#newBuffer();
    return this.#buffer;
  }

  #newBuffer(): Buffer {
    const buffer = Buffer.allocUnsafeSlow(BUFFER);
    this.#ownBuffers.add(buffer.buffer);
    return buffer;
  }

  /** Moves the current buffer to the data that waits for a write. */
  #queueBuffer(): void {
    if (this.#buffer) this.#waiting.push(this.#buffer.subarray(0, this.#filled));
    this.#buffer = undefined;
    this.#filled = 0;
  }

  #queue(bytes: Uint8Array): void {
    this.#queueBuffer();
    this.#waiting.push(bytes);
  }
}

/** Writes a file that appears under its name only when it is complete. When `fill` throws, the part is deleted. */
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

/** Syncs a folder, so that renames in it survive a power failure. */
export const syncFolder = async (path: string): Promise<void> => {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
