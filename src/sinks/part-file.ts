import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Chunk } from "../core/ports.ts";

/** What a manifest says of one file. */
export interface FileFacts {
  /** Relative to the manifest. */
  name: string;
  rows: number;
  bytes: number;
  sha256: string;
}

/** Text is joined up to this size before it is encoded and written, in characters. */
const BATCH = 64 * 1024;

/**
A file that appears under its name only when it is whole: until `finish` it is `<name>.<tag>.part`.

Mode 0600 unless another is given. `add` never waits; `flush` lets what was added reach the file.
*/
export class PartFile {
  readonly path: string;
  readonly #part: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #text = "";
  readonly #waiting: Uint8Array[] = [];
  rows = 0;
  bytes = 0;

  private constructor(path: string, part: string, handle: FileHandle) {
    this.path = path;
    this.#part = part;
    this.#handle = handle;
  }

  /** @param tag tells parts of different runs apart: unique */
  static async open(path: string, tag: string, mode = 0o600): Promise<PartFile> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const part = `${path}.${tag}.part`;
    const handle = await open(part, "wx", mode);
    // Whatever the umask says: a mode that others may read was asked for.
    if (mode !== 0o600) await handle.chmod(mode);
    return new PartFile(path, part, handle);
  }

  add(data: Chunk, rows = 0): void {
    this.rows += rows;
    if (typeof data === "string") {
      this.#text += data;
      if (this.#text.length >= BATCH) this.#encode();
    } else {
      this.#encode();
      this.#waiting.push(data);
    }
  }

  async flush(): Promise<void> {
    this.#encode();
    for (const bytes of this.#waiting.splice(0)) {
      this.#hash.update(bytes);
      this.bytes += bytes.length;
      // writeFile on a handle goes on where it stands, and writes on after a short write.
      await this.#handle.writeFile(bytes);
    }
  }

  /** Everything on disk, still under the part's name. */
  async seal(): Promise<void> {
    await this.flush();
    await this.#handle.sync();
    await this.#handle.close();
  }

  /** Makes a sealed file visible; `as` for a name that is known only now, in the same folder. */
  async publish(as = this.path): Promise<void> {
    await rename(this.#part, as);
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.#part, { force: true });
  }

  /** Of a sealed file. */
  facts(name = basename(this.path)): FileFacts {
    return { name, rows: this.rows, bytes: this.bytes, sha256: this.#hash.copy().digest("hex") };
  }

  #encode(): void {
    if (this.#text === "") return;
    this.#waiting.push(Buffer.from(this.#text));
    this.#text = "";
  }
}

/** Makes renames in a folder survive a power cut. */
export const syncFolder = async (path: string): Promise<void> => {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
