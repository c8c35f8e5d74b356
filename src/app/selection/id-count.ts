import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Host } from "../context.ts";
import { isHeader, isSilent } from "./ids.ts";

/**
How many ids a file names, counted by lines: repeats count, and so do lines that are no id.

Undefined for what can be read only once, such as standard input or a pipe, and for what cannot be read: whoever reads
its ids says why.
*/
export const countIds = async (name: string, host: Host): Promise<number | undefined> => {
  const path = resolve(host.cwd, name);
  if (name === "-" || !(await stat(path).catch(() => undefined))?.isFile()) return undefined;
  let ids = 0;
  let begun = false;
  const count = (line: string): void => {
    if (isSilent(line)) return;
    if (begun || line.trimStart().startsWith("{") || !isHeader(line)) ids += 1;
    begun = true;
  };
  try {
    let rest = "";
    // Names of columns are ASCII, and so is what makes a line silent.
    for await (const chunk of createReadStream(path, { encoding: "latin1" })) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) count(line);
    }
    count(rest);
  } catch {
    return undefined;
  }
  return ids;
};
