import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message, SampleResult } from "../../src/core/sample.ts";
import { INTERRUPTED, type Transcript } from "../../src/core/transcript.ts";
import { type VoicePolicy, voiceSample } from "../../src/transforms/curate/voice.ts";

type Line = [role: string, text: string];

const call = (lines: Line[], system?: string): Transcript => ({
  id: "c",
  source: "calls",
  participants: {},
  turns: lines.map(([role, text], index) => ({ id: String(index + 1), role, kind: "normal", text })),
  provenance: { records: [{ source: "calls", sha256: "00", bytes: 2 }] },
  ...(system !== undefined && { system }),
});
const sample = (lines: Line[], policy?: VoicePolicy, system?: string) => voiceSample(call(lines, system), policy);
const message = (role: Message["role"], content: string): Message => ({ role, content });

const QUESTION: Line = ["user", "Where is my parcel?"];
const ANSWER: Line = ["agent", "On its way."];
const ASKED = message("user", QUESTION[1]);
const ANSWERED = message("assistant", ANSWER[1]);
const GREETING: Line = ["agent", "Hello."];

describe("a call that fits", () => {
  it("becomes a sample as it is", () => {
    expect(sample([QUESTION, ANSWER])).toEqual({ messages: [ASKED, ANSWERED], changes: [] });
  });
});

describe("the greeting", () => {
  const QUOTED = 'You opened the call by saying: "Hello."';
  const QUOTE: VoicePolicy = { greeting: "system" };

  it("is left out, because serving never sends it", () => {
    expect(sample([GREETING, QUESTION, ANSWER])).toEqual({
      messages: [ASKED, ANSWERED],
      changes: ["greeting-dropped"],
    });
  });
  it("is quoted in the system turn, after the call's own prompt", () => {
    expect(sample([GREETING, QUESTION, ANSWER], QUOTE, "Be kind.")).toEqual({
      messages: [message("system", `Be kind.\n\n${QUOTED}`), ASKED, ANSWERED],
      changes: ["greeting-quoted"],
    });
    expect(sample([GREETING, QUESTION, ANSWER], { ...QUOTE, system: "none" }, "Be kind.")).toMatchObject({
      messages: [message("system", QUOTED), ASKED, ANSWERED],
    });
  });
  it("is quoted in Chinese when it is Chinese", () => {
    expect(sample([["agent", "您好"], QUESTION, ANSWER], QUOTE)).toMatchObject({
      messages: [message("system", "通话开始时，你先说了：“您好”"), ASKED, ANSWERED],
    });
  });
  it("can be dropped", () => {
    expect(sample([GREETING, QUESTION, ANSWER], { greeting: "drop" })).toEqual({
      messages: [ASKED, ANSWERED],
      changes: ["greeting-dropped"],
    });
  });
  it("can follow an empty user turn", () => {
    expect(sample([GREETING, QUESTION, ANSWER], { greeting: "pad" }, "Be kind.")).toEqual({
      messages: [message("system", "Be kind."), message("user", ""), message("assistant", "Hello."), ASKED, ANSWERED],
      changes: ["greeting-padded"],
    });
  });
  it("takes every agent turn before the caller's first words with it", () => {
    expect(sample([GREETING, ["agent", "Anyone there?"], QUESTION, ANSWER], QUOTE)).toEqual({
      messages: [message("system", 'You opened the call by saying: "Hello. Anyone there?"'), ASKED, ANSWERED],
      changes: ["greeting-quoted"],
    });
  });
});

describe("the system prompt", () => {
  it.each<[string, VoicePolicy["system"], string | undefined, Message[]]>([
    ["is the call's own", "own", "Be kind.", [message("system", "Be kind.")]],
    ["is left out when asked", "none", "Be kind.", []],
    ["can be another", { text: "Be brief." }, "Be kind.", [message("system", "Be brief.")]],
    ["is left out when blank", "own", " \n", []],
    ["is left out when there is none", "own", undefined, []],
  ])("%s", (_, system, own, head) => {
    const policy: VoicePolicy = system === undefined ? {} : { system };
    expect(sample([QUESTION, ANSWER], policy, own)).toMatchObject({ messages: [...head, ASKED, ANSWERED] });
  });
});

describe("where the caller cut in", () => {
  const lines: Line[] = [QUESTION, ["agent", `On its way. ${INTERRUPTED}It will`]];

  it("the agent's turn ends", () => {
    expect(sample(lines)).toEqual({ messages: [ASKED, ANSWERED], changes: ["interruption-cut"] });
  });
  it("the agent's turn ends with its last whole sentence", () => {
    const cut = ["interruption-cut", "half-answers-cut-back"];
    const half: Line = ["agent", `On its way. It will${INTERRUPTED} be there.`];
    expect(sample([QUESTION, half])).toEqual({ messages: [ASKED, ANSWERED], changes: cut });
    expect(sample([QUESTION, half], { interrupted: "cut" })).toMatchObject({
      messages: [ASKED, message("assistant", "On its way. It will")],
    });
    const none: Line = ["agent", `On its${INTERRUPTED} way.`];
    expect(sample([QUESTION, none, ["user", "When?"], ANSWER])).toEqual({
      messages: [message("user", "Where is my parcel? When?"), ANSWERED],
      changes: [...cut, "turns-merged"],
    });
    expect(sample([QUESTION, none])).toEqual({ dropped: "no-assistant-turn" });
  });
  it("the agent's turn can go on, without the tag", () => {
    expect(sample(lines, { interrupted: "keep" })).toEqual({
      messages: [ASKED, message("assistant", "On its way. It will")],
      changes: ["interruption-tag-removed"],
    });
  });
  it("at its very start, the turn goes, and the caller's turns around it become one", () => {
    expect(sample([["user", "One."], ["agent", `${INTERRUPTED}Hm`], ["user", "Two."], ANSWER])).toEqual({
      messages: [message("user", "One. Two."), ANSWERED],
      changes: ["interruption-cut", "empty-turns-dropped", "turns-merged"],
    });
  });
  it("a caller's text that happens to hold the tag stays", () => {
    expect(sample([["user", `a${INTERRUPTED}b`], ANSWER])).toMatchObject({
      messages: [message("user", `a${INTERRUPTED}b`), ANSWERED],
    });
  });
});

describe("turns", () => {
  it("without text are left out", () => {
    expect(sample([["user", " "], QUESTION, ["agent", "\u3000\n"], ANSWER])).toEqual({
      messages: [ASKED, ANSWERED],
      changes: ["empty-turns-dropped"],
    });
  });
  it("of the caller at the end are cut", () => {
    expect(sample([QUESTION, ANSWER, ["user", "Thanks."], ["user", "Bye."]])).toEqual({
      messages: [ASKED, ANSWERED],
      changes: ["trailing-user-cut"],
    });
  });
});

describe("a call without a sample", () => {
  it.each<[string, Line[], string]>([
    ["has no turns", [], "no-user-turn"],
    ["has only the agent's", [GREETING, ANSWER], "no-user-turn"],
    ["has only silence from the caller", [GREETING, ["user", " "], ANSWER], "no-user-turn"],
    ["leaves the caller without an answer", [GREETING, QUESTION], "no-assistant-turn"],
    ["has a tool's turn", [QUESTION, ["tool", "{}"], ANSWER], "role:tool"],
    ["has a role not known yet", [QUESTION, ANSWER, ["supervisor", ""]], "role:supervisor"],
    ["has a role without end", [["x".repeat(100), ""]], `role:${"x".repeat(40)}`],
  ])("%s", (_, lines, dropped) => {
    expect(sample(lines)).toEqual({ dropped });
  });
  it("has an agent that calls tools", () => {
    const transcript = call([QUESTION, ANSWER]);
    transcript.turns[1] = {
      id: "2",
      role: "agent",
      kind: "normal",
      text: "",
      toolCalls: [{ id: "t", name: "f", arguments: "{}" }],
    };
    expect(voiceSample(transcript)).toEqual({ dropped: "tool-calls" });
  });
});

/** FORMATS.md, "The shape that every reader takes", read by someone who never saw our code. */
const problems = (value: unknown, isPadded: boolean): string[] => {
  const { messages, ...others } = value as { messages: Record<string, unknown>[] };
  const found = Object.keys(others).map((key) => `extra key ${key}`);
  const body = messages[0]?.role === "system" ? messages.slice(1) : messages;
  if (body.length < 2) found.push("too short");
  if (body.at(-1)?.role !== "assistant") found.push("does not end with assistant");
  body.forEach(({ role }, index) => {
    if (role !== (index % 2 === 0 ? "user" : "assistant")) found.push(`${index} is ${role}`);
  });
  for (const message of messages) {
    if (Object.keys(message).join() !== "role,content") found.push("message keys");
    const { content } = message;
    const isPad = isPadded && message === body[0] && content === "";
    if (typeof content !== "string" || (content.trim() === "" && !isPad)) found.push("empty content");
  }
  return found;
};

describe("any turns", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("", " ", INTERRUPTED, `a ${INTERRUPTED} b`, "你好", "。", "Hi", "\u3000"),
  );
  const role = fc.oneof({ weight: 20, arbitrary: fc.constantFrom("user", "agent") }, { weight: 1, arbitrary: text });
  const lines = fc.array(fc.tuple(role, text));
  const policy = fc.record({
    greeting: fc.constantFrom("system", "drop", "pad"),
    system: fc.constantFrom("own", "none", { text: "Be brief." }, { text: " " }),
    interrupted: fc.constantFrom("clause", "cut", "keep"),
  }) as fc.Arbitrary<Required<VoicePolicy>>;
  const REASON = /^(no-user-turn|no-assistant-turn|tool-calls|role:.*)$/s;

  it("give a valid sample or a named reason, whatever the policies", () => {
    fc.assert(
      fc.property(lines, policy, fc.option(text, { nil: undefined }), (turns, policy, own) => {
        const result: SampleResult = sample(turns, policy, own);
        if ("dropped" in result) expect(result.dropped).toMatch(REASON);
        else expect(problems({ messages: result.messages }, policy.greeting === "pad")).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
  it("that made a sample make the same sample again, with nothing left to change", () => {
    fc.assert(
      fc.property(lines, (turns) => {
        const once = sample(turns, { greeting: "drop", system: "none" });
        if ("dropped" in once) return;
        const again = once.messages.map(({ role, content }): Line => [role === "user" ? role : "agent", content]);
        expect(sample(again)).toEqual({ messages: once.messages, changes: [] });
      }),
      { numRuns: 2_000 },
    );
  });
  it("are left untouched themselves", () => {
    fc.assert(
      fc.property(lines, policy, (turns, policy) => {
        const transcript = call(turns, "x");
        const before = structuredClone(transcript);
        voiceSample(transcript, policy);
        expect(transcript).toEqual(before);
      }),
    );
  });
});
