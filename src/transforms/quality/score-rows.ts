import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";

/** What people or a program say of a sample: by question, a number from each. */
export interface ScoreRow {
  id: string;
  values: ReadonlyMap<string, readonly number[]>;
}

/** The question of a plain list. */
const PLAIN = "score";

/**
Reads a row of a list of scores: `{"id", "score"}`, a record as Argilla exports it, or a task as Label Studio exports it.
Undefined for another shape; without values where nobody has answered with a number.

Argilla (v2, `records.to_json`): `responses` has a list by question; drafts and discarded ones do not count. Label Studio
(JSON): `annotations` with ratings, numbers, or choices that are numbers; cancelled ones do not count. The sample's id is
`id` or `sample_id` in `data`, because the task has a number of its own.
*/
export const scoreRowOf = (row: Json): ScoreRow | undefined => {
  if (!isObject(row)) return undefined;
  if (Array.isArray(row.annotations) && isObject(row.data)) return labelStudioRow(row.data, row.annotations);
  const id = idOf(row.id);
  if (id === undefined) return undefined;
  if (isObject(row.responses)) return { id, values: argillaValues(row.responses) };
  if (!("score" in row)) return undefined;
  const score = numberOf(row.score);
  return { id, values: new Map(score === undefined ? [] : [[PLAIN, [score]]]) };
};

const idOf = (value: Json | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const argillaValues = (responses: JsonObject): Map<string, number[]> => {
  const values = new Map<string, number[]>();
  for (const [question, answers] of Object.entries(responses)) {
    for (const answer of Array.isArray(answers) ? answers : []) {
      if (!isObject(answer)) continue;
      const { status } = answer;
      if (status === undefined || status === null || status === "submitted") note(values, question, answer.value);
    }
  }
  return values;
};

const labelStudioRow = (data: JsonObject, annotations: readonly Json[]): ScoreRow | undefined => {
  const id = idOf(data.id) ?? idOf(data.sample_id);
  if (id === undefined) return undefined;
  const values = new Map<string, number[]>();
  for (const annotation of annotations) {
    if (!isObject(annotation) || annotation.was_cancelled === true || !Array.isArray(annotation.result)) continue;
    for (const result of annotation.result) {
      if (!isObject(result) || !isObject(result.value) || typeof result.from_name !== "string") continue;
      const { rating, number, choices } = result.value;
      const choice = Array.isArray(choices) && choices.length === 1 ? choices[0] : undefined;
      note(values, result.from_name, rating ?? number ?? choice);
    }
  }
  return { id, values };
};

const note = (values: Map<string, number[]>, question: string, value: Json | undefined): void => {
  const number = numberOf(value);
  if (number === undefined) return;
  const known = values.get(question);
  if (known) known.push(number);
  else values.set(question, [number]);
};

const numberOf = (value: Json | undefined): number | undefined => {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
};

/** The question that gives the score: the only one, or that named `score` or `rating`; undefined when it is not clear. */
export const scoreQuestion = (questions: ReadonlySet<string>): string | undefined => {
  const [only] = questions;
  return questions.size === 1 ? only : ["score", "rating"].find((name) => questions.has(name));
};

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
