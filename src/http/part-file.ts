import { createHash, type Hash } from "node:crypto";
import { constants, type FileHandle, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CutShort } from "../core/errors.ts";
import { isObject, type Json } from "../core/transcript.ts";
import { Crc64 } from "./crc64.ts";
import { usableEtag } from "./open-file.ts";

/** What identifies the content of a file while it is downloaded. It has no link, so it may be written to disk. */
export interface FileIdentity {
  /** Without one the download cannot be continued. */
  etag?: string | undefined;
  /** Length of the whole file. */
  bytes?: number | undefined;
  /** Checksums of the whole file: CRC-64/XZ as a decimal number, MD5 as hex. */
  crc64?: string | undefined;
  md5?: string | undefined;
}

/** Bytes at the beginning of a file that are kept in memory, to find out its type. */
const START_BYTES = 64;
const READ_BYTES = 1024 * 1024;

const parseIdentity = (text: string): FileIdentity => {
  const value = JSON.parse(text) as Json;
  if (!isObject(value)) return {};
  const { bytes, crc64, md5 } = value;
  return {
    etag: usableEtag(value.etag),
    bytes: Number.isSafeInteger(bytes) && Number(bytes) >= 0 ? Number(bytes) : undefined,
    crc64: typeof crc64 === "string" ? crc64 : undefined,
    md5: typeof md5 === "string" ? md5 : undefined,
  };
};

/** Explains an error of the disk: what happened and what to do. Returns any other error unchanged. */
const explainDisk = (error: unknown, path: string): unknown => {
  const { code } = error as { code?: unknown };
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") return noSpace(path, String(code), error);
  return error;
};

/** There is no space for a file. What was downloaded of it is kept. */
export const noSpace = (path: string, reason: string, cause?: unknown): Error =>
  new Error(
    `No space is left on the disk for ${path} (${reason}). What was downloaded is kept: make room, and run the same command again.`,
    { cause },
  );

/**
A file that is being downloaded: `PATH.part`, beside it `PATH.part.json` with its identity, so that another process can
continue it. Both stay until `finish`.
*/
export class PartFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #identity: FileIdentity = {};
  #bytes = 0;
  #sha256: Hash = createHash("sha256");
  #crc64: Crc64 | undefined;
  #md5: Hash | undefined;
  readonly #start = Buffer.alloc(START_BYTES);

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** Opens the part of an earlier process, and reads it once for its checksums; or creates a part. Its mode is 0600. */
  static async open(path: string, signal?: AbortSignal): Promise<PartFile> {
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    const part = new PartFile(path, await open(partOf(path), O_RDWR | O_CREAT | O_NOFOLLOW, 0o600));
    try {
      await part.#load(signal);
      return part;
    } catch (error) {
      await part.close();
      throw explainDisk(error, path);
    }
  }

  /** How many bytes of the file are here. */
  get bytes(): number {
    return this.#bytes;
  }

  get identity(): FileIdentity {
    return this.#identity;
  }

  /** The first bytes of the file, at most 64. */
  get start(): Uint8Array {
    return this.#start.subarray(0, Math.min(this.#bytes, START_BYTES));
  }

  /** Begins a file anew: what was here is deleted. */
  async begin(identity: FileIdentity): Promise<void> {
    try {
      await this.#handle.truncate(0);
      this.#reset(identity);
      await writeFile(identityOf(this.path), JSON.stringify(identity), { mode: 0o600 });
    } catch (error) {
      throw explainDisk(error, this.path);
    }
  }

  /** After an error the part can only be closed. */
  async append(bytes: Uint8Array): Promise<void> {
    // The disk writes on another thread while this one computes the checksums.
    const writing = this.#write(bytes, this.#bytes).catch((error: unknown) => {
      throw explainDisk(error, this.path);
    });
    this.#count(bytes);
    await writing;
  }

  /**
  Checks the complete file, and gives it its name.

  @throws CutShort when a checksum is wrong; then nothing of the file is left
  */
  async finish(): Promise<{ sha256: string; bytes: number; start: Uint8Array }> {
    const { crc64, md5 } = this.#identity;
    const wrong = [
      crc64 !== undefined && this.#crc64 && this.#crc64.digest() !== crc64 ? "CRC-64" : "",
      md5 !== undefined && this.#md5 && this.#md5.copy().digest("hex") !== md5 ? "MD5" : "",
    ].filter(Boolean);
    if (wrong.length > 0) {
      await this.begin({});
      throw new CutShort(`The downloaded file does not match its ${wrong.join(" and ")}.`, { code: "BadChecksum" });
    }
    const facts = { sha256: this.#sha256.copy().digest("hex"), bytes: this.#bytes, start: Buffer.from(this.start) };
    try {
      await this.#handle.sync();
    } catch (error) {
      throw explainDisk(error, this.path);
    }
    // In this order: a crash between them leaves a complete file, or a part that can be continued.
    await rename(partOf(this.path), this.path);
    await rm(identityOf(this.path), { force: true });
    await syncFolder(dirname(this.path));
    return facts;
  }

  /** Closes the part, which stays. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Deletes what was downloaded. */
  async discard(): Promise<void> {
    await rm(partOf(this.path), { force: true });
    await rm(identityOf(this.path), { force: true });
  }

  async #load(signal: AbortSignal | undefined): Promise<void> {
    const identity = await readFile(identityOf(this.path), "utf8")
      .then(parseIdentity)
      .catch(() => ({}) as FileIdentity);
    if (identity.etag === undefined) return this.#handle.truncate(0);
    this.#reset(identity);
    const { size } = await this.#handle.stat();
    // The last byte is requested again even if it is here, because the answer says whether the file is still the same.
    const kept = Math.min(size, Math.max(0, (identity.bytes ?? size) - 1));
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    while (this.#bytes < kept) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.#handle.read(buffer, 0, Math.min(READ_BYTES, kept - this.#bytes), this.#bytes);
      if (bytesRead === 0) break;
      this.#count(buffer.subarray(0, bytesRead));
    }
    await this.#handle.truncate(this.#bytes);
  }

  #reset(identity: FileIdentity): void {
    this.#identity = identity;
    this.#bytes = 0;
    this.#sha256 = createHash("sha256");
    this.#crc64 = identity.crc64 === undefined ? undefined : new Crc64();
    this.#md5 = identity.md5 === undefined ? undefined : createHash("md5");
  }

  #count(bytes: Uint8Array): void {
    if (this.#bytes < START_BYTES) this.#start.set(bytes.subarray(0, START_BYTES - this.#bytes), this.#bytes);
    this.#sha256.update(bytes);
    this.#crc64?.update(bytes);
    this.#md5?.update(bytes);
    this.#bytes += bytes.length;
  }

  /** Writes all bytes, also when the disk takes fewer at once. */
  async #write(bytes: Uint8Array, at: number): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, at + written);
      written += bytesWritten;
    }
  }
}

const partOf = (path: string): string => `${path}.part`;
const identityOf = (path: string): string => `${path}.part.json`;

/** Syncs a folder, so that a rename in it survives a power failure. */
const syncFolder = async (path: string): Promise<void> => {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
