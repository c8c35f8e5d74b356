import { describe, expect, it } from "vitest";
import { transcriptOf } from "../../src/parse/index.ts";
import { dialogueArrival } from "../../src/sources/dialogues.ts";
import { storedCall } from "../helpers/recorded-calls.ts";
import { checkLine } from "../helpers/schema.ts";

const START = Date.parse("2025-11-12T01:00:00Z");
const typed = (DialogueId: string, Producer: string, Text: string, second: number, more = {}) =>
  dialogueArrival("session-1", {
    DialogueId,
    RoundId: "r1",
    Producer,
    Text,
    Time: START + second * 1000,
    Source: "chat",
    Type: "normal",
    ...more,
  });

describe("the typed chat of a session", () => {
  const file = { Id: "f1", Name: "鞋.png", Format: "png", Type: 1, Url: "https://files.example/shoe.png?Signature=s" };
  const arrivals = [
    typed("d1", "user", "这双鞋有 38 码吗？", 0, { AttachedFileList: [file] }),
    typed("d2", "agent", "有的，需要帮您预留吗？", 3, { ReasoningText: "查库存。", Extend: '{"stock":2}' }),
    typed("d3", "agent", "新品上架！", 60, { Type: "announcement", NodeId: "n1" }),
  ];
  const read = (all: typeof arrivals) =>
    transcriptOf(
      storedCall("session-1", undefined, all, {
        source: "dialogues",
        agentId: "a",
        startedAt: "2025-11-12T01:00:00.000Z",
      }),
    );

  it("has a turn for each message, with attachments and reasoning", () => {
    expect(checkLine(read(arrivals))).toEqual({
      id: "session-1",
      source: "dialogues",
      agentId: "a",
      sessionId: "session-1",
      startedAt: "2025-11-12T01:00:00.000Z",
      endedAt: "2025-11-12T01:01:00.000Z",
      durationSeconds: 60,
      participants: {},
      turns: [
        {
          id: "d1",
          role: "user",
          kind: "normal",
          text: "这双鞋有 38 码吗？",
          begin: 0,
          at: "2025-11-12T01:00:00.000Z",
          extra: {
            roundId: "r1",
            attachments: [{ id: "f1", name: "鞋.png", format: "png", type: 1, url: "https://files.example/shoe.png" }],
          },
        },
        {
          id: "d2",
          role: "agent",
          kind: "normal",
          text: "有的，需要帮您预留吗？",
          begin: 3,
          at: "2025-11-12T01:00:03.000Z",
          reasoning: "查库存。",
          extra: { roundId: "r1", extend: { stock: 2 } },
        },
        {
          id: "d3",
          role: "agent",
          kind: "announcement",
          text: "新品上架！",
          begin: 60,
          at: "2025-11-12T01:01:00.000Z",
          extra: { roundId: "r1", nodeId: "n1" },
        },
      ],
      provenance: {
        records: arrivals.map(({ record }) => ({
          source: "dialogues",
          id: record.id,
          sha256: expect.any(String),
          bytes: expect.any(Number),
        })),
      },
    });
  });
  it("is the same in whatever order the messages came", () => {
    expect(read(arrivals.toReversed())).toEqual(read(arrivals));
  });
});
