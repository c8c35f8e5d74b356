import { describe, expect, it } from "vitest";
import type { Writer } from "../../src/core/ports.ts";
import type { Transcript, Turn } from "../../src/core/transcript.ts";
import { written } from "../writers/written.ts";

/** One text read back from the output for each text put in; `undefined` where the format leaves texts out. */
export interface ReadBack {
  /** How many rows the file has, counted by a reader that is not ours. Throws where it is not valid. */
  rows(text: string, file: string): number;
  /** Every turn's text found in it, in order. */
  texts(text: string, file: string): string[];
}

const HOSTILE: Record<string, string> = {
  newlines: "one\ntwo\r\nthree\rfour\n",
  quotes: `"double" 'single' \\ , ; "`,
  "separators of JavaScript": "a\u2028b\u2029c\u0085d",
  "a NUL": "a\0b",
  "lone surrogates": "a\ud800b\udc00",
  "100 KB": "长文本 ".repeat(25_000),
  markup: '</script><!--]]>{"messages":[]}',
  "a byte order mark": "\uFEFFa",
};

const call = (id: string, texts: string[]): Transcript => ({
  id,
  source: "calls",
  startedAt: "2025-08-14T02:21:12.245Z",
  participants: { remoteUserId: "u" },
  turns: texts.map(
    (text, index): Turn => ({
      id: String(index + 1),
      role: index % 2 === 0 ? "user" : "agent",
      kind: "normal",
      text,
      begin: index,
    }),
  ),
  provenance: { records: [{ source: "calls", sha256: "00", bytes: 2 }] },
});

/** What every writer promises, whatever its format. `create` gives a fresh one each time. */
export const writerContract = (name: string, create: () => Writer, readBack: ReadBack): void => {
  const calls = [call("one", ["Hi.", "Hello."]), call("none", []), call("two", ["a", "b", "c", "d"])];
  const rowsOf = (files: ReturnType<typeof written>): [string, number, number][] =>
    [...files].map(([file, { text, rows }]) => [file, rows, readBack.rows(text, file)]);

  describe(`${name} keeps the writers' contract`, () => {
    it("writes the same bytes for the same calls", () => {
      expect(written(create(), calls)).toEqual(written(create(), calls));
    });
    it("keeps nothing from one call to the next", () => {
      expect(written(create(), calls, undefined, create)).toEqual(written(create(), calls));
    });
    it("tells how many rows each file has", () => {
      for (const [file, told, counted] of rowsOf(written(create(), calls)))
        expect([file, told]).toEqual([file, counted]);
      const all = rowsOf(written(create(), calls)).reduce((sum, [, told]) => sum + told, 0);
      expect(all).toBeGreaterThanOrEqual(2);
    });
    it("writes a valid file of no rows when there are no calls", () => {
      expect(rowsOf(written(create(), [])).map(([, told, counted]) => [told, counted])).toEqual([[0, 0]]);
    });
    it("gives every call's rows, in the calls' order", () => {
      const texts = [...written(create(), calls)].flatMap(([file, { text }]) => readBack.texts(text, file));
      expect(texts).toEqual(["Hi.", "Hello.", "a", "b", "c", "d"]);
    });
    it.each(Object.entries(HOSTILE))("brings %s through", (_, hostile) => {
      const files = written(create(), [call(hostile, ["Hi.", hostile])]);
      for (const [file, told, counted] of rowsOf(files)) expect([file, told]).toEqual([file, counted]);
      const texts = [...files].flatMap(([file, { text }]) => readBack.texts(text, file));
      expect(texts).toEqual(["Hi.", hostile.toWellFormed()]);
    });
  });
};
