import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf, UsageError } from "../../../core/errors.ts";
import type { Json } from "../../../core/transcript.ts";
import { lines } from "../../../parse/lines.ts";
import { meanOf, type ScoreRow, scoreQuestion, scoreRowOf } from "../../../transforms/quality/score-rows.ts";
import { bytesOf } from "../../check/lines.ts";
import type { Host } from "../../context.ts";

/** A file that is one JSON text is read at once. */
const MOST_JSON = 256 * 1024 * 1024;

/**
Reads the files of `--scores`: the score of each sample or conversation by its id, the mean where several people gave one. A
later file replaces the scores of an earlier one.

@throws UsageError for a file that cannot be read, has no scores, or several questions of which none is `score` or `rating`
*/
export const scoresInFiles = async (
  files: readonly string[],
  { cwd }: Pick<Host, "cwd">,
): Promise<Map<string, number>> => {
  const scores = new Map<string, number>();
  for (const file of files) {
    const path = resolve(cwd, file);
    if (!existsSync(path) || !statSync(path).isFile()) throw new UsageError(`--scores ${file}: there is no such file.`);
    for (const [id, score] of await scoresIn(file, path)) scores.set(id, score);
  }
  return scores;
};

const scoresIn = async (file: string, path: string): Promise<Map<string, number>> => {
  const values = new Map<string, Map<string, number[]>>();
  const questions = new Set<string>();
  try {
    for await (const { id, values: answers } of rowsOf(path)) {
      const known = values.get(id) ?? new Map<string, number[]>();
      values.set(id, known);
      for (const [question, numbers] of answers) {
        questions.add(question);
        known.set(question, [...(known.get(question) ?? []), ...numbers]);
      }
    }
  } catch (error) {
    throw new UsageError(`--scores ${file} cannot be read: ${messageOf(error)}.`);
  }
  const question = scoreQuestion(questions);
  if (question === undefined)
    throw new UsageError(
      questions.size === 0
        ? `--scores ${file} has no scores.`
        : `--scores ${file} has numbers for ${[...questions].slice(0, 5).join(", ")}: name one question "score".`,
    );
  const scores = new Map<string, number>();
  for (const [id, answers] of values) {
    const numbers = answers.get(question);
    if (numbers) scores.set(id, meanOf(numbers));
  }
  return scores;
};

async function* rowsOf(path: string): AsyncGenerator<ScoreRow> {
  let number = 0;
  for await (const row of jsonRows(path)) {
    number += 1;
    const score = scoreRowOf(row);
    if (score === undefined) throw new Error(`row ${number} has no id and score`);
    yield score;
  }
}

async function* jsonRows(path: string): AsyncGenerator<Json> {
  const name = path.toLowerCase().replace(/\.gz$/, "");
  if (/\.[ct]sv$/.test(name)) yield* tableRows(path);
  else if (name.endsWith(".json")) yield* wholeRows(path);
  else yield* lineRows(path);
}

async function* tableRows(path: string): AsyncGenerator<Json> {
  const { default: Papa } = await import("papaparse");
  const parser = Papa.parse(Papa.NODE_STREAM_INPUT, {
    header: true,
    skipEmptyLines: "greedy",
    transformHeader: (header) => header.replace(/^\ufeff/, "").trim(),
  });
  const bytes = bytesOf(path);
  bytes.on("error", (error) => parser.destroy(error));
  bytes.pipe(parser);
  for await (const row of parser as AsyncIterable<Record<string, string>>) yield row;
}

async function* wholeRows(path: string): AsyncGenerator<Json> {
  if (statSync(path).size > MOST_JSON) throw new Error("it is larger than 256 MB: export it as JSON lines");
  const rows = parsed(await readFile(path, "utf8"), "it");
  if (!Array.isArray(rows)) throw new Error("it is no list");
  yield* rows;
}

async function* lineRows(path: string): AsyncGenerator<Json> {
  let number = 0;
  for await (const line of lines(bytesOf(path) as AsyncIterable<Uint8Array>)) {
    number += 1;
    if (line.trim() !== "") yield parsed(line, `line ${number}`);
  }
}

/** The parser's message would quote the file. */
const parsed = (text: string, what: string): Json => {
  try {
    return JSON.parse(text.replace(/^\ufeff/, "")) as Json;
  } catch {
    throw new Error(`${what} is not JSON`);
  }
};
