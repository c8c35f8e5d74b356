import type { DroppedSample, Message, Sample } from "../../core/sample.ts";
import { blank } from "../../core/text.ts";
import { isObject, type Json, type JsonObject, type Transcript, type Turn } from "../../core/transcript.ts";
import { languageOf } from "../curate/language.ts";
import type { Policy } from "../curate/policy.ts";
import { type AnsweredQuestion, answeredQuestion, entriesOf } from "./entries.ts";

export interface SqlPolicy {
  /** See `Policy`. `auto`: the prompt in the log, which most entries do not have. */
  system: NonNullable<Policy["system"]>;
  /** Adds the columns of the result to the system turn. */
  schema: boolean;
  /** Whether a text is SQL. */
  parses: (sql: string) => boolean;
}

/**
A sample, or why there is none, for each entry of a conversation with a query agent: the question as the user, the query's
SQL as the assistant.
*/
export const textToSql = (conversation: Transcript, policy: SqlPolicy): (Sample | DroppedSample)[] =>
  entriesOf(conversation).map((entry) => {
    const id = `${conversation.id}#${entry.number}`;
    const answered = answeredQuestion(entry);
    if (typeof answered === "string") return { callId: id, step: "entry", reason: answered };
    if (!policy.parses(answered.sql)) return { callId: id, step: "sql", reason: "sql-does-not-parse" };
    const question: Message = { role: "user", content: answered.question.text, turns: [originOf(answered.question)] };
    return {
      id,
      callId: conversation.id,
      messages: [...systemOf(conversation, answered, policy), question, answerOf(answered)],
      // The words of SQL are English in every language.
      language: languageOf([question]),
    };
  });

const answerOf = ({ query, sql, before }: AnsweredQuestion): Message => {
  const reasoning = before.flatMap((turn) => turn.reasoning ?? []).join("\n");
  return { role: "assistant", content: sql, ...(reasoning !== "" && { reasoning }), turns: [originOf(query)] };
};

const originOf = ({ id, begin }: Turn): { id: string; begin?: number } =>
  begin === undefined ? { id } : { id, begin };

const systemOf = (
  { system: own }: Transcript,
  { before, result }: AnsweredQuestion,
  { system, schema }: SqlPolicy,
): Message[] => {
  const prompts = [own, ...before.filter(({ role }) => role === "system").map(({ text }) => text)];
  const prompt = system === "auto" ? [...new Set(prompts)] : [system === "none" ? undefined : system.text];
  const content = [...prompt, schema ? columnsText(result) : undefined]
    .filter((text) => text !== undefined && !blank(text))
    .join("\n\n");
  return content === "" ? [] : [{ role: "system", content }];
};

/**
`Columns of the result: city VARCHAR, "COUNT(*)" BIGINT`; undefined if the result has no columns.

A name that is no plain word is quoted as in SQL. A column whose type is not known is its name alone.
*/
const columnsText = ({ schema }: JsonObject): string | undefined => {
  const columns = (Array.isArray(schema) ? schema : []).filter(isObject).flatMap(({ name, type }) => {
    const words = [plainName(name), textOf(type)].filter((text) => text !== "");
    return textOf(name) === "" ? [] : [words.join(" ")];
  });
  return columns.length === 0 ? undefined : `Columns of the result: ${columns.join(", ")}`;
};

const textOf = (value: Json | undefined): string =>
  typeof value === "string" ? value.replaceAll(/\s+/g, " ").trim() : "";

const plainName = (name: Json | undefined): string => {
  const text = textOf(name);
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
};
