import { afterEach, describe, expect, test } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../src/emulator/index.ts";

type Entry = ReturnType<Emulator["queryEntries"]> extends Generator<infer T> ? T : never;

const running: Emulator[] = [];
const start = async (options: EmulatorOptions = {}): Promise<Emulator> => {
  const emulator = await startEmulator({ calls: 0, ...options });
  running.push(emulator);
  return emulator;
};
afterEach(async () => {
  for (const emulator of running.splice(0)) await emulator.close();
});

const grouped = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
};

describe("generated chats", () => {
  const held = async (options: EmulatorOptions = {}) => [...(await start({ chats: 300, ...options })).chatEvents()];

  test("are the same for the same seed, and other ones for another", async () => {
    const [a, b, c] = [await held({ seed: 7 }), await held({ seed: 7 }), await held({ seed: 8 })];
    expect(JSON.stringify(b)).toBe(JSON.stringify(a));
    const ids = new Set(a.map(({ id }) => id));
    expect(c.some(({ id }) => ids.has(id))).toBe(false);
  });

  test("are sessions of 1 to 6 events within the range, whose history grows", async () => {
    const [from, to] = [new Date("2025-01-01T00:00:00Z"), new Date("2025-01-01T01:00:00Z")];
    const events = await held({ from, to });
    const sessions = grouped(events, ({ data }) => data.sessionId);
    expect(sessions.size).toBe(300);
    expect(new Set([...sessions.values()].map(({ length }) => length))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    for (const { time, aliyunpublishtime } of events) {
      expect(Date.parse(time)).toBeGreaterThanOrEqual(from.getTime());
      expect(Date.parse(aliyunpublishtime)).toBeGreaterThanOrEqual(Date.parse(time));
      expect(Date.parse(aliyunpublishtime)).toBeLessThan(to.getTime());
    }
    for (const session of sessions.values()) {
      const told: string[] = [];
      for (const { data } of session) {
        const { prompt, biz_params } = JSON.parse(data.input);
        expect(biz_params.chat_history.map(({ content }: { content: string }) => content)).toEqual(told);
        if (data.output !== "") told.push(prompt, JSON.parse(data.output).output.text);
      }
    }
  });

  test("have commands, failures, tokens, and both languages", async () => {
    const events = await held();
    const failed = events.filter(({ data }) => data.code !== "");
    expect(failed.length).toBeGreaterThan(5);
    expect(failed.length).toBeLessThan(events.length / 8);
    for (const { data } of failed) expect([data.output, data.message]).toEqual(["", expect.stringMatching(/\w/)]);
    const outputs = events.filter(({ data }) => data.code === "").map(({ data }) => JSON.parse(data.output));
    const called = outputs.filter(({ output }) => output.commands.length > 0);
    expect(called.length).toBeGreaterThan(20);
    for (const { output, biz_info } of called) {
      expect(output.commands[0].params[0]).toEqual({
        name: expect.any(String),
        value: expect.any(String),
        norm_value: expect.any(String),
      });
      expect(biz_info.intent_infos[0].intent).toBe(output.commands[0].name);
      expect(biz_info.agent_infos).toHaveLength(1);
    }
    const prompts = events.map(({ data }) => JSON.parse(data.input).prompt as string);
    const chinese = prompts.filter((prompt) => /\p{Script=Han}/u.test(prompt)).length;
    expect(chinese / prompts.length).toBeGreaterThan(0.4);
    expect(chinese / prompts.length).toBeLessThan(0.8);
    expect(events.filter(({ data }) => data.input.includes("USERTOKEN")).length).toBeGreaterThan(events.length / 4);
  });
});

describe("generated queries", () => {
  const held = async (options: EmulatorOptions = {}) => [...(await start({ queries: 400, ...options })).queryEntries()];

  test("are the same for the same seed, and other ones for another", async () => {
    const [a, b, c] = [await held({ seed: 7 }), await held({ seed: 7 }), await held({ seed: 8 })];
    expect(JSON.stringify(b)).toBe(JSON.stringify(a));
    const ids = new Set(a.map(({ MessageId }) => MessageId));
    expect(c.some(({ MessageId }) => ids.has(MessageId))).toBe(false);
  });

  test("are conversations of 1 to 4 entries with one agent and one source, within the range", async () => {
    const [from, to] = [new Date("2025-01-01T00:00:00Z"), new Date("2025-01-01T01:00:00Z")];
    const entries = await held({ from, to });
    expect(entries).toHaveLength(400);
    const conversations = [...grouped(entries, ({ ConversationId }) => ConversationId).values()];
    expect(new Set(conversations.map(({ length }) => length))).toEqual(new Set([1, 2, 3, 4]));
    for (const list of conversations)
      expect(new Set(list.map(({ AgentName, Source }) => AgentName + Source)).size).toBe(1);
    for (const { CreatedAt } of entries) {
      expect(Number(CreatedAt)).toBeGreaterThanOrEqual(from.getTime());
      expect(Number(CreatedAt)).toBeLessThan(to.getTime());
    }
  });

  test("have every outcome that the service knows", async () => {
    const entries = await held();
    const count = (is: (entry: Entry) => unknown): number => entries.filter(is).length;
    for (const status of ["FAILED", "TIMEOUT"] as const) {
      const bad = entries.filter(({ Status }) => Status === status);
      expect(bad.length).toBeGreaterThan(5);
      for (const each of bad)
        expect(each).toMatchObject({ IsError: true, ErrorCode: expect.any(String), ErrorMessage: expect.any(String) });
    }
    const unclear = entries.filter(({ ClarificationNeeded }) => ClarificationNeeded);
    expect(unclear.length).toBeGreaterThan(10);
    for (const { ClarificationQuestion, Content } of unclear)
      expect([ClarificationQuestion, Content.TextAttachments]).toEqual([expect.stringMatching(/[??]$/), []]);
    const results = entries.flatMap(({ Content }) => Content.QueryAttachments.flatMap(({ Result }) => Result ?? []));
    for (const { Rows, RowCount, TotalRows, IsTruncated, Schema } of results) {
      const rows = JSON.parse(Rows) as unknown[][];
      expect(rows.map(({ length }) => length)).toEqual(rows.map(() => Schema.length));
      expect([RowCount, TotalRows > RowCount]).toEqual([rows.length, IsTruncated]);
    }
    expect(new Set(results.map(({ IsTruncated }) => IsTruncated))).toEqual(new Set([true, false]));
    expect(count(({ Source }) => Source === "MCP")).toBeGreaterThan(100);
    expect(count(({ Source }) => Source === "CHAT")).toBeGreaterThan(100);
    const quoted = (text: string | undefined): boolean => /^".*"$/.test(text ?? "");
    for (const text of [
      ({ Content }: Entry) => Content.TextAttachments[0],
      ({ Content }: Entry) => Content.QueryAttachments[0]?.Query,
    ]) {
      const there = entries.map(text).filter((each) => each !== undefined);
      const wrapped = there.filter(quoted);
      expect(wrapped.length).toBeGreaterThan(50);
      expect(wrapped.length).toBeLessThan(there.length - 50);
      for (const each of wrapped) expect(JSON.parse(each)).toMatch(/^[^"]/);
    }
  });

  test("have messages when they come from a chat, and a result for each tool call that ended", async () => {
    const entries = await held();
    expect(entries.some(({ Source, Content }) => Source === "MCP" && "MessageAttachments" in Content)).toBe(false);
    const answered = entries.filter(
      ({ Source, Status, ClarificationNeeded }) => Source === "CHAT" && Status === "SUCCEEDED" && !ClarificationNeeded,
    );
    expect(answered.length).toBeGreaterThan(50);
    for (const { Content } of answered) {
      const messages = Content.MessageAttachments ?? [];
      expect(messages.map(({ Role }) => Role)).toEqual(["assistant", "tool", "assistant", "tool", "assistant"]);
      const calls = messages.flatMap(({ ToolCalls = [] }) => ToolCalls.map(({ Id }) => Id));
      expect(messages.flatMap(({ ToolCallId = [] }) => ToolCallId)).toEqual(calls);
      for (const tool of messages.flatMap(({ ToolCalls = [] }) => ToolCalls))
        expect(Object.keys(JSON.parse(tool.Function.Arguments))).toHaveLength(1);
      expect(messages[0]).toMatchObject({
        Reasoning: expect.any(String),
        Metadata: { Attachments: { Name: expect.stringContaining("/table/") } },
      });
      const answer = messages.at(-1)?.Content;
      expect([answer, JSON.stringify(answer)]).toContain(Content.TextAttachments[0]);
    }
    const ids = entries.flatMap(({ Content }) => (Content.MessageAttachments ?? []).map(({ Id }) => Id));
    expect(new Set(ids).size).toBe(ids.length);
  });
});
