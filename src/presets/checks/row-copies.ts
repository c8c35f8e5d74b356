import { createHash } from "node:crypto";
import type { JsonObject } from "../../core/transcript.ts";
import type { Rule } from "./rule.ts";

export const copyRules = {
  duplicate: {
    id: "duplicate-row",
    severity: "warning",
    effect: "The model learns the row twice.",
  },
  straddling: {
    id: "row-in-two-splits",
    severity: "error",
    effect: "The evaluation measures what the model has seen in training.",
  },
} as const satisfies Record<string, Pick<Rule, "id" | "severity" | "effect">>;

export interface FoundCopy {
  rule: (typeof copyRules)[keyof typeof copyRules];
  detail: string;
}

/** Finds the copies in one file. @param line from 1 */
export type FindCopy = (row: JsonObject, line: number) => FoundCopy | undefined;

/** The columns that some trainer reads. Rows that differ only in others, such as an id, are copies for it. */
const READ: ReadonlySet<string> = new Set([
  ...["messages", "conversations", "prompt", "completion", "instruction", "input", "output", "history", "system"],
  ...["tools", "functions", "images", "videos", "audios", "objects", "channel", "label", "kto_tag"],
  ...["chosen", "rejected", "rejected_response", "preferred_output", "non_preferred_output"],
]);

/**
Finds rows that are in a folder more than once. Remembers 14 bytes for each row, at most double with the space in the table
(8 million rows: 240 MB; further rows are only compared with these), and no text.

@param isWhole compares all columns; @default only those that trainers read
*/
export const createRowCopies = ({ isWhole = false }: { isWhole?: boolean } = {}) => {
  const files: { name: string; split: string | undefined }[] = [];
  const places = createPlaces();
  return {
    /** @param split the split that the file belongs to, if its name says so */
    file: (name: string, split: string | undefined): FindCopy => {
      const file = files.push({ name, split }) - 1;
      return (row, line) => {
        const content = textOf(isWhole ? row : contentOf(row));
        const first = content === undefined ? undefined : places.firstOf(content, { file, line });
        if (first === undefined) return undefined;
        if (first.file === file) return { rule: copyRules.duplicate, detail: `has the content of line ${first.line}` };
        const other = files[first.file];
        const rule = other?.split === split ? copyRules.duplicate : copyRules.straddling;
        return { rule, detail: `has the content of line ${first.line} in ${other?.name}` };
      };
    },
  };
};

/** The columns that are read, by name; all of a row that has none of them. */
const contentOf = (row: JsonObject): JsonObject => {
  const read = Object.entries(row).filter(([column]) => READ.has(column));
  return read.length === 0 ? row : Object.fromEntries(read.sort(([one], [other]) => (one < other ? -1 : 1)));
};

/** Undefined for a row that is nested deeper than the stack. */
const textOf = (row: JsonObject): string | undefined => {
  try {
    return JSON.stringify(row);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
};

interface RowPlace {
  file: number;
  /** From 1. */
  line: number;
}

const MOST_ROWS = 8 * 1024 * 1024;

/** A hash table by the first 64 bits of sha256, in typed arrays; a line of 0 is a free place. */
const createPlaces = () => {
  let keys = new Uint32Array(2 * 1024);
  let lines = new Uint32Array(1024);
  let files = new Uint16Array(1024);
  let count = 0;

  /** The index of this key, or the free one where it belongs. */
  const find = (low: number, high: number): number => {
    const mask = lines.length - 1;
    let at = low & mask;
    while (lines[at] !== 0 && (keys[2 * at] !== low || keys[2 * at + 1] !== high)) at = (at + 1) & mask;
    return at;
  };
  const put = (at: number, low: number, high: number, line: number, file: number): void => {
    keys[2 * at] = low;
    keys[2 * at + 1] = high;
    lines[at] = line;
    files[at] = file;
  };
  const grow = (): void => {
    const before = { keys, lines, files };
    keys = new Uint32Array(2 * before.keys.length);
    lines = new Uint32Array(2 * before.lines.length);
    files = new Uint16Array(2 * before.files.length);
    for (const [at, line] of before.lines.entries()) {
      if (line === 0) continue;
      const [low = 0, high = 0] = before.keys.subarray(2 * at, 2 * at + 2);
      put(find(low, high), low, high, line, before.files[at] ?? 0);
    }
  };

  return {
    /** Where this content was first; undefined if it is new, which is then remembered. */
    firstOf: (content: string, { file, line }: RowPlace): RowPlace | undefined => {
      const hash = createHash("sha256").update(content).digest();
      const [low, high] = [hash.readUInt32LE(0), hash.readUInt32LE(4)];
      const at = find(low, high);
      if (lines[at] !== 0) return { file: files[at] ?? 0, line: lines[at] ?? 0 };
      if (count === MOST_ROWS) return undefined;
      put(at, low, high, line, file);
      count += 1;
      if (4 * count > 3 * lines.length) grow();
      return undefined;
    },
  };
};
