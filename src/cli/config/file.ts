import { type FileHandle, open } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { messageOf, UsageError } from "../../core/errors.ts";
import type { Io } from "../io.ts";

export interface ConfigText {
  path: string;
  /** The path for messages, as the user wrote it if the user named the file. */
  label: string;
  text: string;
}

/** The largest config file, in bytes. */
const MOST_BYTES = 1_000_000;

/** Where the config file is looked for when none is named; the first that exists is used. */
export const usualPlaces = ({ env }: Io): string[] => {
  const named = env.XDG_CONFIG_HOME ?? "";
  // https://specifications.freedesktop.org/basedir-spec: a relative path must be ignored.
  const base = isAbsolute(named) ? named : join(env.HOME || homedir(), ".config");
  return ["yaml", "yml", "json"].map((ending) => join(base, "callarchive", `config.${ending}`));
};

/**
The config file: the one that `--config` names, else CALLARCHIVE_CONFIG, else the first in the usual places.

@param flag false for `--no-config`
@throws UsageError when a named file does not exist, and for a file that is not readable text of up to 1 MB
*/
export const readConfig = async (flag: string | false | undefined, io: Io): Promise<ConfigText | undefined> => {
  if (flag === false || (flag === undefined && isOn(io.env.CALLARCHIVE_NO_CONFIG))) return undefined;
  const named = flag ?? (io.env.CALLARCHIVE_CONFIG || undefined);
  if (named !== undefined) {
    const path = resolve(io.cwd, named);
    const text = await read(path, named);
    if (text === undefined) throw new UsageError(`There is no config file at ${named}.`);
    return { path, label: named, text };
  }
  for (const path of usualPlaces(io)) {
    const text = await read(path, path);
    if (text !== undefined) return { path, label: path, text };
  }
  return undefined;
};

const isOn = (text = ""): boolean => /^(1|true|yes|on)$/i.test(text);

/** Undefined when there is no such file. */
const read = async (path: string, label: string): Promise<string | undefined> => {
  const fail = (why: string): never => {
    throw new UsageError(`The config file ${label} ${why} (--no-config runs without it.)`);
  };
  try {
    const file = await open(path);
    const bytes = await beginning(file, MOST_BYTES + 1).finally(() => file.close());
    if (bytes.length > MOST_BYTES) return fail("is larger than 1 MB, so it is not a config file.");
    const { utf8 } = await import("../../core/text.ts");
    return utf8(bytes) ?? fail("is not UTF-8 text.");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    return fail(code === "EISDIR" ? "is a folder." : `cannot be read: ${messageOf(error)}.`);
  }
};

/** The first `most` bytes at most, also of a pipe or a device. */
const beginning = async (file: FileHandle, most: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < most) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(65_536, most - length)));
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
  return Buffer.concat(chunks);
};
