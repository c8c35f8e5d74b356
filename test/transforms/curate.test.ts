import { describe, expect, it } from "vitest";
import type { Sample } from "../../src/core/sample.ts";
import { INTERRUPTED, type Transcript, type Turn } from "../../src/core/transcript.ts";
import { curate, needsOf, type Policy } from "../../src/transforms/curate/curate.ts";

type Line = [role: string, text: string, more?: Partial<Turn>];

const call = (lines: Line[], more: Partial<Transcript> = {}): Transcript => ({
  id: "c",
  source: "calls",
  participants: {},
  turns: lines.map(([role, text, extra], index) => ({ id: String(index + 1), role, kind: "normal", text, ...extra })),
  provenance: { records: [{ source: "calls", sha256: "00", bytes: 2 }] },
  ...more,
});

/** Messages as `role text`, with `!` where they are not learned. */
const told = (sample: Sample | undefined): string[] =>
  sample?.messages.map(
    ({ role, content, learn, toolCalls }) =>
      `${learn === false ? "!" : ""}${role[0]} ${content}${toolCalls ? `[${toolCalls.map(({ id }) => id)}]` : ""}`,
  ) ?? [];

const curated = (lines: Line[], policy: Policy = {}, more: Partial<Transcript> = {}) => {
  const result = curate(call(lines, more), policy);
  if ("reason" in result) return { step: result.step, reason: result.reason };
  return { samples: result.samples.map(told), changes: result.changes };
};

const TALK: Line[] = [
  ["agent", "Hello.", { kind: "greeting" }],
  ["user", "Where is it?"],
  ["agent", "On its way."],
  ["user", "When?"],
  ["agent", "Tomorrow."],
];
const TOLD = ["u Where is it?", "a On its way.", "u When?", "a Tomorrow."];

describe("a sample", () => {
  it("knows its call, its turns, its language and its length", () => {
    const turns = TALK.map(([role, text, more], index): Line => [role, text, { ...more, begin: index }]);
    const result = curate(call(turns, { durationSeconds: 9 }), {});
    expect(result).toMatchObject({
      samples: [{ id: "c", callId: "c", language: "en", durationSeconds: 9 }],
      changes: ["greeting-dropped"],
    });
    if ("reason" in result) throw new Error(result.reason);
    expect(result.samples[0]?.messages.map((message) => message.turns)).toEqual(
      [1, 2, 3, 4].map((begin) => [{ id: String(begin + 1), begin }]),
    );
  });
  it("of merged turns knows all of them, and their first begin first", () => {
    const result = curate(
      call([
        ["user", "a", { begin: 1 }],
        ["user", "b", { begin: 2 }],
        ["agent", "c"],
      ]),
      {},
    );
    if ("reason" in result) throw new Error(result.reason);
    expect(result.samples[0]?.messages[0]?.turns).toEqual([
      { id: "1", begin: 1 },
      { id: "2", begin: 2 },
    ]);
  });
});

describe("the greeting", () => {
  it.each<[NonNullable<Policy["greeting"]>, string[], string]>([
    ["system", ['s You opened the call by saying: "Hello."', ...TOLD], "greeting-quoted"],
    ["drop", TOLD, "greeting-dropped"],
    ["pad", ["u ", "a Hello.", ...TOLD], "greeting-padded"],
    ["mask", ["!a Hello.", ...TOLD], "greeting-masked"],
  ])("%s", (greeting, messages, change) => {
    expect(curated(TALK, { greeting })).toEqual({ samples: [messages], changes: [change] });
  });
  it("that asked tools keeps its words alone, unless it is masked", () => {
    const lines: Line[] = [
      ["agent", "", { toolCalls: [{ id: "t", name: "f", arguments: "{}" }] }],
      ["tool", "Anna", { toolCallId: "t" }],
      ...TALK,
    ];
    expect(curated(lines, { greeting: "drop" })).toEqual({
      samples: [TOLD],
      changes: ["opening-tools-dropped", "greeting-dropped"],
    });
    expect(curated(lines, { greeting: "mask" })).toEqual({
      samples: [["!a [t]", "t Anna", "!a Hello.", ...TOLD]],
      changes: ["greeting-masked"],
    });
  });
});

describe("the system turn", () => {
  const lines: Line[] = [["system", "Be kind."], ...TALK.slice(1)];
  it("is the call's own, or what the log begins with, said once", () => {
    expect(curated(lines)).toMatchObject({ samples: [["s Be kind.", ...TOLD]] });
    expect(curated(lines, {}, { system: "Be kind." })).toMatchObject({ samples: [["s Be kind.", ...TOLD]] });
    expect(curated(lines, {}, { system: "Be brief." })).toMatchObject({
      samples: [["s Be brief.\n\nBe kind.", ...TOLD]],
    });
  });
  it("can be another, or none", () => {
    expect(curated(lines, { system: "none" }, { system: "x" })).toMatchObject({ samples: [TOLD] });
    expect(curated(lines, { system: { text: "Be quick." } }, { system: "x" })).toMatchObject({
      samples: [["s Be quick.", ...TOLD]],
    });
  });
  it("has no place within the dialog", () => {
    expect(curated([...TALK, ["system", "x"]])).toEqual({ step: "roles", reason: "role:system" });
  });
});

describe("where the caller cut in", () => {
  const lines: Line[] = [
    ["user", "When?"],
    ["agent", `Tomor${INTERRUPTED}row.`],
    ["user", "Ah."],
    ["agent", "Yes."],
  ];
  it.each<[Policy["interrupted"], string[], string[]]>([
    [undefined, ["u When?", "!a Tomor", "u Ah.", "a Yes."], ["interruption-cut", "half-answers-masked"]],
    ["auto", ["u When?", "!a Tomor", "u Ah.", "a Yes."], ["interruption-cut", "half-answers-masked"]],
    ["mask", ["u When?", "!a Tomor", "u Ah.", "a Yes."], ["interruption-cut", "half-answers-masked"]],
    ["clause", ["u When? Ah.", "a Yes."], ["interruption-cut", "half-answers-cut-back", "turns-merged"]],
    ["cut", ["u When?", "a Tomor", "u Ah.", "a Yes."], ["interruption-cut"]],
    ["keep", ["u When?", "!a Tomorrow.", "u Ah.", "a Yes."], ["interruption-tag-removed"]],
  ])("%s", (interrupted, said, changes) => {
    expect(curated(lines, interrupted && { interrupted })).toEqual({ samples: [said], changes });
  });
  it("what must not be learned spoils what it is merged with", () => {
    const merged: Line[] = [
      ["user", "When?"],
      ["agent", `Tomor${INTERRUPTED}row.`],
      ["agent", "Yes."],
    ];
    expect(curated([...merged, ["user", "Ah."], ["agent", "Bye."]], { interrupted: "mask" })).toMatchObject({
      samples: [["u When?", "!a Tomor Yes.", "u Ah.", "a Bye."]],
    });
    expect(curated(merged, { interrupted: "mask" })).toEqual({ step: "learning", reason: "nothing-to-learn" });
  });
});

describe("agent turns that are far apart", () => {
  const late: Line[] = [
    ["user", "When?", { begin: 1 }],
    ["agent", "Tomorrow.", { begin: 3 }],
    ["agent", "At noon.", { begin: 9 }],
    ["agent", "Are you still there?", { begin: 18 }],
    ["agent", "Hello?", { begin: 20 }],
    ["user", "Yes.", { begin: 22 }],
    ["agent", "Good.", { begin: 23 }],
  ];
  it("are not one answer: what nobody asked for is left out", () => {
    expect(curated(late)).toEqual({
      samples: [["u When?", "a Tomorrow. At noon.", "u Yes.", "a Good."]],
      changes: ["unasked-turns-dropped", "turns-merged"],
    });
  });
  it("can follow a token for the silence", () => {
    expect(curated(late, { silenceToken: "<silence>" })).toEqual({
      samples: [
        ["u When?", "a Tomorrow. At noon.", "u <silence>", "a Are you still there? Hello?", "u Yes.", "a Good."],
      ],
      changes: ["silence-noted", "turns-merged"],
    });
  });
  it("are one answer within --merge-gap, and where the times are unknown", () => {
    const merged = [["u When?", "a Tomorrow. At noon. Are you still there? Hello?", "u Yes.", "a Good."]];
    expect(curated(late, { mergeGap: 9 })).toMatchObject({ samples: merged });
    const timeless = late.map(([role, text]): Line => [role, text]);
    expect(curated(timeless)).toMatchObject({ samples: merged });
  });
  it("stay with the tools that they call", () => {
    const asks = { toolCalls: [{ id: "t", name: "f", arguments: "{}" }] };
    expect(
      curated([
        ["user", "When?", { begin: 1 }],
        ["agent", "One moment.", { begin: 2 }],
        ["agent", "", { ...asks, begin: 30 }],
        ["tool", "1", { toolCallId: "t" }],
        ["agent", "Tomorrow.", { begin: 60 }],
      ]),
    ).toMatchObject({ samples: [["u When?", "a One moment.[t]", "t 1", "a Tomorrow."]] });
  });
});

describe("turns that another record of the call has", () => {
  const added = { recordSource: "callbacks" } as const;
  const lines: Line[] = [
    ["user", "When?"],
    ["agent", "Tomorrow, at noon."],
    ["agent", "tomorrow at noon", added],
    ["agent", "At noon.", added],
    ["user", "Thanks."],
    ["user", "Thanks.", added],
    ["agent", "Bye."],
  ];
  it("are not learned twice", () => {
    expect(curated(lines)).toEqual({
      samples: [["u When?", "a Tomorrow, at noon.", "u Thanks.", "a Bye."]],
      changes: ["repeated-turns-dropped"],
    });
  });
  it("stay if they say more, and the log may repeat itself", () => {
    expect(
      curated([
        ["user", "Hello?"],
        ["user", "Hello?"],
        ["agent", "Hi."],
        ["agent", "Who is it?", added],
      ]),
    ).toEqual({ samples: [["u Hello? Hello?", "a Hi. Who is it?"]], changes: ["turns-merged"] });
  });
});

describe("text that nobody can see", () => {
  it.each(["\u200b", "\ufeff\u2060", "\0", "\u0007 \u0085", "\u3164", "\u2800", "\u00ad\u200d"])(
    "%j counts as empty",
    (text) => {
      expect(curated([["user", text], ...TALK.slice(1)])).toEqual({
        samples: [TOLD],
        changes: ["empty-turns-dropped"],
      });
      expect(curated([...TALK.slice(1), ["user", "Ah."], ["agent", text]])).toMatchObject({ samples: [TOLD] });
    },
  );
  it("does not make visible text empty", () => {
    expect(
      curated([
        ["user", "\u200bHi"],
        ["agent", "👨\u200d👩\u200d👧"],
      ]),
    ).toMatchObject({
      samples: [["u \u200bHi", "a 👨\u200d👩\u200d👧"]],
      changes: [],
    });
  });
});

describe("a character that was lost", () => {
  it.each(["a\ufffdb", "a\ud800b"])("%j is a named change", (text) => {
    expect(
      curated([
        ["user", text],
        ["agent", "Yes."],
      ]),
    ).toMatchObject({ changes: ["characters-replaced"] });
  });
});

describe("one sample per agent turn", () => {
  it("has the dialog up to it, and that turn alone to be learned", () => {
    const result = curate(call(TALK), { greeting: "mask", expand: "turn" });
    if ("reason" in result) throw new Error(result.reason);
    expect(result.samples.map(({ id }) => id)).toEqual(["c#2", "c#3"]);
    expect(result.samples.map(told)).toEqual([
      ["!a Hello.", "u Where is it?", "a On its way."],
      ["!a Hello.", "u Where is it?", "!a On its way.", "u When?", "a Tomorrow."],
    ]);
  });
});

describe("limits", () => {
  it.each<[Policy, string | undefined]>([
    [{ minTurns: 4, maxTurns: 4, minCharacters: 33, minDuration: 7, maxDuration: 7 }, undefined],
    [{ minTurns: 5 }, "min-turns"],
    [{ maxTurns: 3 }, "max-turns"],
    [{ minCharacters: 34 }, "min-characters"],
    [{ minDuration: 8 }, "min-duration"],
    [{ maxDuration: 6 }, "max-duration"],
  ])("%j: %s", (policy, reason) => {
    const turns = TALK.map(([role, text, more], index): Line => [role, text, { ...more, begin: index + 3 }]);
    expect(curated(turns, policy)).toMatchObject(reason === undefined ? { samples: [{}] } : { reason });
  });
  it("by kind leave turns out", () => {
    expect(curated(TALK, { kinds: ["normal"] })).toEqual({ samples: [TOLD], changes: ["kinds-left-out"] });
  });
});

describe("fillers", () => {
  it("stay unless asked, and an utterance of fillers alone goes", () => {
    const lines: Line[] = [
      ["user", "Um, when?"],
      ["agent", "Um, tomorrow."],
      ["user", "嗯。"],
      ["agent", "Yes."],
    ];
    expect(curated(lines)).toMatchObject({ changes: [] });
    expect(curated(lines, { stripFillers: true })).toEqual({
      samples: [["u when?", "a Um, tomorrow. Yes."]],
      changes: ["fillers-stripped", "empty-turns-dropped", "turns-merged"],
    });
  });
});

describe("tools", () => {
  it("of a masked opening that were answered only in part leave the call out", () => {
    const asked = { toolCalls: ["b", "a"].map((id) => ({ id, name: "f", arguments: "{}" })) };
    const lines: Line[] = [
      ["agent", "", asked],
      ["tool", "1", { toolCallId: "a" }],
      ["user", "hi"],
      ["agent", "yes"],
    ];
    expect(curated(lines, { greeting: "mask" })).toEqual({ step: "tools", reason: "tool-call-without-result" });
  });

  const asks = (...ids: string[]): Line => [
    "agent",
    "",
    { toolCalls: ids.map((id) => ({ id, name: "f", arguments: "{}" })) },
  ];
  const result = (id?: string): Line => ["tool", "1", id === undefined ? {} : { toolCallId: id }];
  const user: Line = ["user", "When?"];
  const answer: Line = ["agent", "Tomorrow."];

  it("stay with their results, and a result without an id answers the first that waits", () => {
    expect(curated([user, asks("a", "b"), result(), result("b"), answer])).toMatchObject({
      samples: [["u When?", "a [a,b]", "t 1", "t 1", "a Tomorrow."]],
    });
  });
  it("are called by the words before the call", () => {
    expect(curated([user, ["agent", "One moment."], asks("a"), result("a"), answer])).toMatchObject({
      samples: [["u When?", "a One moment.[a]", "t 1", "a Tomorrow."]],
    });
  });
  it("may be what a sample ends on", () => {
    expect(curated([user, asks("a"), result("a")])).toMatchObject({
      samples: [["u When?", "a [a]"]],
      changes: ["trailing-user-cut"],
    });
  });
  it.each<[string, Line[]]>([
    ["tool-result-without-call", [user, result("a"), answer]],
    ["tool-result-without-call", [user, asks("a"), result("b"), answer]],
    ["tool-result-without-call", [user, asks("a"), result("a"), result("a"), answer]],
    ["tool-call-without-result", [user, asks("a"), user, answer]],
    ["tool-call-without-result", [user, asks("a", "b"), result("a"), answer]],
  ])("that do not fit together: %s", (reason, lines) => {
    expect(curated(lines)).toEqual({ step: "tools", reason });
  });
});

describe("what a policy asks of its presets", () => {
  it.each<[Policy, ReturnType<typeof needsOf>]>([
    [{}, { loss: true, masking: false, greetingFirst: false, emptyUser: false }],
    [{ interrupted: "clause" }, { loss: false, masking: false, greetingFirst: false, emptyUser: false }],
    [{ greeting: "mask" }, { loss: true, masking: true, greetingFirst: true, emptyUser: false }],
    [{ greeting: "pad" }, { loss: true, masking: false, greetingFirst: false, emptyUser: true }],
    [{ interrupted: "keep" }, { loss: true, masking: true, greetingFirst: false, emptyUser: false }],
    [{ expand: "turn" }, { loss: true, masking: false, greetingFirst: false, emptyUser: false }],
  ])("%j", (policy, needs) => {
    expect(needsOf(policy)).toEqual(needs);
  });
});
