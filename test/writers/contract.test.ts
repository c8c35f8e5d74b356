import Papa from "papaparse";
import type { Writer } from "../../src/core/ports.ts";
import type { Transcript } from "../../src/core/transcript.ts";
import { writers } from "../../src/writers/index.ts";
import { type ReadBack, writerContract } from "../contracts/writer.ts";
import { MAIN } from "./written.ts";

const jsonLines = (text: string): Record<string, unknown>[] => {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error("the last line has no end");
  return lines.map((line) => JSON.parse(line));
};
const textsOf = (transcript: unknown): string[] => (transcript as Transcript).turns.map(({ text }) => text);

/** JSON.stringify of our tests' documents keeps lone surrogates as escapes, and raw documents are not ours to mend. */
const mended = (texts: string[]): string[] => texts.map((text) => text.toWellFormed());

writerContract("ndjson", () => writers.ndjson.create({}), {
  rows: (text) => jsonLines(text).length,
  texts: (text) => jsonLines(text).flatMap(textsOf),
});

writerContract("ndjson by turn", () => writers.ndjson.create({ rows: "turn" }), {
  rows: (text) => jsonLines(text).length,
  texts: (text) => jsonLines(text).flatMap(({ text }) => (text === undefined ? [] : [String(text)])),
});

const csvRows = (text: string): Record<string, string>[] => {
  const { data, errors } = Papa.parse<Record<string, string>>(text, { header: true, newline: "\n", delimiter: "," });
  if (errors.some(({ code }) => code !== "TooFewFields")) throw new Error(JSON.stringify(errors));
  // After the last line's end Papa sees one more, empty line.
  return data.slice(0, -1);
};
const csv: ReadBack = {
  rows: (text) => csvRows(text).length,
  texts: (text) => csvRows(text).flatMap(({ turn, text = "" }) => (turn === "" ? [] : [text])),
};
writerContract("csv", () => writers.csv.create({}), csv);
writerContract("csv for Excel", () => writers.csv.create({ csvBom: true }), csv);

const toSample = ({
  turns,
}: Transcript): ReturnType<NonNullable<Parameters<typeof writers.messages.create>[0]["toSample"]>> =>
  turns.length === 0
    ? { dropped: "no-user-turn" }
    : {
        messages: turns.map(({ role, text }) => ({ role: role === "user" ? "user" : "assistant", content: text })),
        changes: [],
      };
writerContract("messages", () => writers.messages.create({ toSample }), {
  rows: (text) => jsonLines(text).length,
  texts: (text, file) =>
    file === MAIN
      ? jsonLines(text).flatMap(({ messages }) => (messages as { content: string }[]).map(({ content }) => content))
      : [],
});

writerContract("raw as one array", (): Writer => writers.raw.create({ single: true }), {
  rows: (text) => JSON.parse(text).length,
  texts: (text) => mended((JSON.parse(text) as unknown[]).flatMap(textsOf)),
});

writerContract("raw as files", (): Writer => writers.raw.create({}), {
  rows: (text, file) => (file === MAIN ? text.length : [JSON.parse(text)].length),
  texts: (text, file) => (file === MAIN ? [] : mended(textsOf(JSON.parse(text)))),
});
