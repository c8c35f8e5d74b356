import { blank } from "../../core/text.ts";
import { isObject, type JsonObject, QUERY_KINDS, type Transcript, type Turn } from "../../core/transcript.ts";

/** An entry of the query log: a question, and what became of it. */
export interface QueryEntry {
  /** In its conversation, from 1. */
  number: number;
  turns: readonly Turn[];
  /** The fields of the entry itself, such as `Status`; empty if it has none. */
  outcome: JsonObject;
}

/**
The entries of a conversation with a query agent.

The last turn of an entry has the entry's own fields in `extra`, and all its turns have one time.
*/
export const entriesOf = ({ turns }: Transcript): QueryEntry[] => {
  const groups: Turn[][] = [];
  let isOpen = false;
  for (const turn of turns) {
    const group = groups.at(-1);
    if (group && isOpen && group[0]?.begin === turn.begin) group.push(turn);
    else groups.push([turn]);
    isOpen = !hasStatus(turn);
  }
  return groups.map((group, index) => {
    const last = group.at(-1);
    return { number: index + 1, turns: group, outcome: (last && hasStatus(last) && last.extra) || {} };
  });
};

const hasStatus = ({ extra }: Turn): boolean => extra?.Status !== undefined;

/**
Why an entry gives no sample.

- `failed`, `timed-out`, `running`, `unknown-status`: it did not succeed, or the log does not say so.
- `clarification`: the agent asked back.
- `no-question`, `no-query`, `no-result`: the entry has none.
- `several-queries`: it is not known which of them answers the question.
- `truncated`: the log has only the first rows of the result.
*/
export type EntryTrouble =
  | "failed"
  | "timed-out"
  | "running"
  | "unknown-status"
  | "clarification"
  | "no-question"
  | "no-query"
  | "several-queries"
  | "no-result"
  | "truncated";

/** A question with the one query that answers it. */
export interface AnsweredQuestion {
  question: Turn;
  query: Turn;
  sql: string;
  result: JsonObject;
  /** The entry's turns before the query, the question among them. */
  before: readonly Turn[];
}

/** The question and its query, if the entry succeeded with exactly one, and its whole result is known. */
export const answeredQuestion = ({ turns, outcome }: QueryEntry): AnsweredQuestion | EntryTrouble => {
  const trouble = troubleOf(outcome);
  if (trouble !== undefined) return trouble;
  if (turns.some(({ kind }) => kind === QUERY_KINDS.clarification) || isTrue(outcome.ClarificationNeeded))
    return "clarification";
  const queries = turns.filter(({ kind }) => kind === QUERY_KINDS.query);
  const [query] = queries;
  if (queries.length > 1) return "several-queries";
  const result = query && resultOf(query, turns);
  const sql = query && sqlOf(query, result);
  if (!query || !sql) return "no-query";
  const before = turns.slice(0, turns.indexOf(query));
  const question = before.find(({ role }) => role === "user");
  if (!question || blank(question.text)) return "no-question";
  if (!result) return "no-result";
  return isTruncated(result) ? "truncated" : { question, query, sql, result, before };
};

const troubleOf = ({ Status, IsError }: JsonObject): EntryTrouble | undefined => {
  switch (typeof Status === "string" ? Status.toUpperCase() : Status) {
    case "SUCCEEDED":
      return isTrue(IsError) ? "failed" : undefined;
    case "FAILED":
      return "failed";
    case "TIMEOUT":
      return "timed-out";
    case "RUNNING":
      return "running";
    default:
      return "unknown-status";
  }
};

/** The result of the query: of whichever call of the turn it is. */
const resultOf = ({ toolCalls = [] }: Turn, turns: readonly Turn[]): JsonObject | undefined => {
  const isResult = ({ kind, toolCallId }: Turn): boolean =>
    kind === QUERY_KINDS.result && toolCalls.some(({ id }) => id === toolCallId);
  const data = turns.find(isResult)?.data;
  return isObject(data) ? data : undefined;
};

/** Each tool names its argument as it likes, so the result says which query it is of. */
const sqlOf = ({ toolCalls = [] }: Turn, result: JsonObject | undefined): string | undefined => {
  if (typeof result?.query === "string") return result.query.trim();
  try {
    const { query } = JSON.parse(toolCalls[0]?.arguments ?? "{}");
    return typeof query === "string" ? query.trim() : undefined;
  } catch {
    return undefined;
  }
};

const isTruncated = ({ truncated, rowCount, totalRows }: JsonObject): boolean =>
  isTrue(truncated) || (rowCount !== undefined && totalRows !== undefined && Number(totalRows) > Number(rowCount));

/** Some of the service's values come as text. */
const isTrue = (value: unknown): boolean => value === true || value === "true";
