import { existsSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { messageOf, UsageError } from "../../core/errors.ts";
import type { Message } from "../../core/sample.ts";
import { createExclusions } from "../../transforms/dedupe/exclusions.ts";
import type { Host } from "../context.ts";
import { excludedRows } from "./exclude-rows.ts";
import type { DatasetRequest } from "./request.ts";

/** The row of an excluded file that a sample is similar to. */
export interface FoundExclusion {
  kind: "exact-match" | "near-match";
  /** `eval.jsonl:17`; rows count from 1. */
  of: string;
}

/** The samples of excluded files. */
export interface Exclusions {
  /** Matches a dialog that grows. */
  matcher(): { add(message: Message): void; match(): FoundExclusion | undefined };
  files: readonly { file: string; rows: number }[];
}

/** Reads the files of `--exclude`; undefined without any. @throws UsageError for a file that cannot be read, or has no text */
export const exclusionsOf = async (
  { exclude = [], dedupeThreshold }: Pick<DatasetRequest, "exclude" | "dedupeThreshold">,
  { cwd }: Pick<Host, "cwd">,
): Promise<Exclusions | undefined> => {
  if (exclude.length === 0) return undefined;
  const index = createExclusions(dedupeThreshold);
  /** Of each file, the number of its first row in the index. */
  const files: { name: string; first: number; rows: number }[] = [];
  let rows = 0;
  for (const path of exclude) {
    const file = { name: basename(path), first: rows, rows: 0 };
    if (files.some(({ name }) => name === file.name))
      throw new UsageError(
        `--exclude names two files ${file.name}: rename one, because the data set tells of them by name.`,
      );
    files.push(file);
    let hasText = false;
    for await (const messages of readRows(path, resolve(cwd, path))) {
      if (index.add(messages)) hasText = true;
      rows += 1;
      file.rows += 1;
    }
    if (!hasText)
      throw new UsageError(`--exclude ${path}: the file has no row with text, so it would exclude nothing.`);
  }
  const foundAt = (row: number, kind: FoundExclusion["kind"]): FoundExclusion => {
    const file = files.findLast(({ first }) => first <= row);
    return { kind, of: `${file?.name}:${row - (file?.first ?? 0) + 1}` };
  };
  return {
    matcher: () => {
      const { add, match } = index.matcher();
      return {
        add,
        match: () => {
          const found = match();
          return found && foundAt(found.row, found.kind);
        },
      };
    },
    files: files.map(({ name, rows: all }) => ({ file: name, rows: all })),
  };
};

async function* readRows(label: string, path: string): AsyncGenerator<Message[]> {
  if (!existsSync(path) || !statSync(path).isFile()) throw new UsageError(`--exclude ${label}: there is no such file.`);
  try {
    yield* excludedRows(path);
  } catch (error) {
    throw new UsageError(`--exclude ${label} cannot be read: ${messageOf(error)}.`);
  }
}
