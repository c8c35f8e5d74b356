import { describe, expect, it } from "vitest";
import { QUERY_KINDS, type Transcript, type Turn } from "../../../src/core/transcript.ts";
import { textToSql } from "../../../src/transforms/sql/text-to-sql.ts";

const conversation = (turns: Turn[]): Transcript => ({
  id: "c",
  source: "queries",
  participants: {},
  turns,
  provenance: { records: [{ source: "queries", sha256: "00", bytes: 2 }] },
});

/** The turns of an entry that was asked at `begin` seconds. */
const entry = (begin: number, outcome: Turn["extra"] | undefined, sql = `SELECT ${begin}`): Turn[] => {
  const id = `m${begin}`;
  const data = { schema: [], rows: [], rowCount: 0, totalRows: 0, truncated: false };
  return [
    { id: `${id}-user`, role: "user", kind: "normal", text: `${begin}?`, begin },
    {
      id,
      role: "agent",
      kind: QUERY_KINDS.query,
      text: "",
      begin,
      toolCalls: [{ id, name: "query", arguments: JSON.stringify({ query: sql }) }],
    },
    {
      id: `${id}-result`,
      role: "tool",
      kind: QUERY_KINDS.result,
      text: "[]",
      begin,
      toolCallId: id,
      data,
      ...(outcome && { extra: outcome }),
    },
  ];
};
const DONE = { Status: "SUCCEEDED", IsError: false };

const made = (turns: Turn[]): string[] =>
  textToSql(conversation(turns), { system: "auto", schema: true, parses: () => true }).map((each) =>
    "reason" in each
      ? `${each.callId} ${each.reason}`
      : `${each.id} ${each.messages.map(({ content }) => content).join(" -> ")}`,
  );

describe("the entries of a conversation", () => {
  it("are divided by their outcome, also when two of them have one time", () => {
    const again = entry(1, DONE, "SELECT 9").map((turn) => ({ ...turn }));
    expect(made([...entry(1, DONE), ...again])).toEqual(["c#1 1? -> SELECT 1", "c#2 1? -> SELECT 9"]);
  });

  it("without an outcome end where the time changes, so that no question gets the answer of another", () => {
    expect(made([...entry(1, undefined), ...entry(2, DONE), ...entry(3, undefined)])).toEqual([
      "c#1 unknown-status",
      "c#2 2? -> SELECT 2",
      "c#3 unknown-status",
    ]);
  });

  it("that are running give no sample, and no turns give no entry", () => {
    expect(made(entry(1, { Status: "RUNNING" }))).toEqual(["c#1 running"]);
    expect(made([])).toEqual([]);
  });

  it("need a question before their query, and arguments that are JSON", () => {
    const [question, query, result] = entry(1, DONE) as [Turn, Turn, Turn];
    expect(made([query, question, result])).toEqual(["c#1 no-question"]);
    const broken = { ...query, toolCalls: [{ id: query.id, name: "query", arguments: "{" }] };
    expect(made([question, broken, result])).toEqual(["c#1 no-query"]);
  });

  it("take the result of their own query", () => {
    const [question, query, result] = entry(1, DONE) as [Turn, Turn, Turn];
    expect(made([question, query, { ...result, toolCallId: "other" }])).toEqual(["c#1 no-result"]);
  });
});
