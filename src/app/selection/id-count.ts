import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Host } from "../context.ts";
import { isHeader, isIgnored } from "./ids.ts";

/**
How many ids a file names, counted by lines: duplicates and invalid lines count too.

Undefined for input that can be read only once, such as standard input or a pipe, and for unreadable files: reading the
ids reports the error.
*/
export const countIds = async (name: string, host: Host): Promise<number | undefined> => {
  const path = resolve(host.cwd, name);
  if (name === "-" || !(await stat(path).catch(() => undefined))?.isFile()) return undefined;
  let ids = 0;
  let isBegun = false;
  const count = (line: string): void => {
    if (isIgnored(line)) return;
    if (isBegun || line.trimStart().startsWith("{") || !isHeader(line)) ids += 1;
    isBegun = true;
  };
  try {
    let rest = "";
    // latin1 is fast, and only ASCII matters here: names of columns, `#` and blanks.
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
