import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { createMender } from "../../presets/checks/mend.ts";
import { createRowCopies } from "../../presets/checks/row-copies.ts";
import type { Preset } from "../../presets/index.ts";
import { writeAtomically } from "../../sinks/atomic-file.ts";
import { tagOf } from "../../sinks/leftovers.ts";
import type { Host } from "../context.ts";
import { byteLines, bytesOf, isBrokenGzip } from "./lines.ts";

/** Lines of about this many bytes are written together. */
const FLUSH_LENGTH = 1024 * 1024;

/** What became of a file. */
export interface MendedFile {
  /** Lines that were written. */
  lines: number;
  /** Lines that were changed or left out, by rule. */
  fixes: Record<string, number>;
}

/**
Writes a mended copy of a file of JSON lines; never over a file that exists.

@throws UsageError for a copy that exists, or whose name promises another format; for a file that cannot be read as lines
*/
export const mendFile = async (
  from: string,
  to: string,
  choose: (row: JsonObject) => Preset | undefined,
  { cwd, ...host }: Pick<Host, "cwd" | "host" | "pid">,
): Promise<MendedFile> => {
  const path = resolve(cwd, to);
  if (existsSync(path)) throw new UsageError(`--fix writes a new file, and ${to} exists. Name another one.`);
  if (!to.endsWith(".jsonl"))
    throw new UsageError(`--fix writes JSON lines: name a file that ends in .jsonl, not ${to}.`);
  const mend = createMender(choose, createRowCopies({ isWhole: true }).file("", undefined));
  const mended: MendedFile = { lines: 0, fixes: {} };
  let waiting = 0;
  try {
    await writeAtomically(path, tagOf(host), async (file) => {
      for await (const bytes of byteLines(bytesOf(resolve(cwd, from)))) {
        if (bytes === "long") throw new UsageError(`${from} has a line of more than 64 MB, which --fix cannot copy.`);
        const { line, fixes } = mend(bytes);
        for (const fix of fixes) mended.fixes[fix] = (mended.fixes[fix] ?? 0) + 1;
        if (line === undefined) continue;
        mended.lines += 1;
        file.add(line);
        file.add("\n", 1);
        waiting += line.length;
        if (waiting < FLUSH_LENGTH) continue;
        await file.flush();
        waiting = 0;
      }
    });
  } catch (error) {
    if (isBrokenGzip(error)) throw new UsageError(`${from} cannot be unpacked to its end, so --fix copies nothing.`);
    throw error;
  }
  return mended;
};
