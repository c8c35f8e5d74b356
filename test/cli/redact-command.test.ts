import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { spansIn } from "../../src/app/redact-command/answers.ts";
import { createRedactor } from "../../src/transforms/redact/index.ts";
import { type Workplace, workplace } from "../helpers/workplace.ts";
import { callOf } from "../transforms/redact/corpus.ts";

/** A program that answers each line by a function of the text: `[start, end, category, quoted?]`, in characters. */
const program = (body: string): string => `
const lines = require("node:readline").createInterface({ input: process.stdin });
const say = (answer) => process.stdout.write(JSON.stringify(answer) + "\\n");
lines.on("line", (line) => {
  const { id, text } = JSON.parse(line);
  const characters = [...text];
  ${body}
});`;

/** Finds every 您好 and names it. */
const HELLO = program(`
  const spans = [];
  for (let at = 0; at < characters.length; at += 1)
    if (characters[at] === "您" && characters[at + 1] === "好")
      spans.push({ start: at, end: at + 2, category: "GREETING_WORD", text: "您好" });
  say({ id, spans });`);

const stored = async () => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 12 });
  const pulled = await place.runHere(["pull", "-q", "-i", "-"], { input: [...cloud.ids()].join("\n") });
  expect(pulled.code).toBe(0);
  return place;
};

const write = (place: Workplace, name: string, source: string): string => {
  writeFileSync(place.path(name), source);
  return `node ${name}`;
};
const exported = (place: Workplace, command: string, ...args: string[]) =>
  place.runHere(["export", "--offline", "--redact-command", command, "-o", "out.ndjson", "--force", ...args]);

describe("--redact-command", () => {
  test("replaces what a program finds, in exports and sets, beside our own finds", async () => {
    const place = await stored();
    const hello = write(place, "hello.cjs", HELLO);
    const plain = await place.runHere(["export", "--offline", "-o", "plain.ndjson"]);
    expect(plain.code).toBe(0);
    expect(place.read("plain.ndjson")).toContain("您好");
    const { code, stderr } = await exported(place, hello, "--redact", "phone");
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/redacted: .*greeting-word \d+/) });
    const text = place.read("out.ndjson");
    expect(text).not.toContain("您好");
    expect(text).toContain("<GREETING_WORD_1>");
    expect(text).not.toMatch(/"caller":"\d/);
    const before = text;
    expect((await exported(place, hello, "--redact", "phone", "--threads", "3")).code).toBe(0);
    expect(place.read("out.ndjson")).toBe(before);

    const set = await place.runHere(["dataset", "--redact-command", hello, "--sample", "5", "-o", "set"]);
    expect(set.code).toBe(0);
    const rows = readdirSync(place.path("set")).filter((name) => name.endsWith(".jsonl"));
    expect(rows.map((name) => place.read("set", name)).join("")).not.toContain("您好");
    const { redacted, policies } = JSON.parse(place.read("set", "report.json"));
    expect(redacted["greeting-word"]).toBeGreaterThan(0);
    expect(policies["redact-command"]).toBe(true);
  });

  test("takes answers in any order, and words in quotes; no shell reads it, and no credentials reach it", async () => {
    const place = await stored();
    const source = `
      if (process.argv[2] !== "two words" || process.argv[3] !== "$HOME") process.exit(9);
      if (Object.keys(process.env).some((name) => /^(ALIBABA_CLOUD|CALLARCHIVE)_/.test(name))) process.exit(8);
      let kept;
      ${program(`
        const spans = text.includes("您好") ? [{ start: 0, end: characters.length, category: "line" }] : [];
        if (kept === undefined) { kept = { id, spans }; setImmediate(() => { say(kept); kept = undefined; }); } else say({ id, spans });`)}`;
    const { code, stderr } = await exported(place, `${write(place, "odd.cjs", source)} "two words" '$HOME'`);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(place.read("out.ndjson")).toContain("<LINE_1>");
    expect(place.read("out.ndjson")).not.toContain("您好");
  });

  test.each([
    ["is no JSON", `process.stdout.write(text + "\\n");`, "line 1 is not JSON"],
    ["is no object", "say([]);", "line 1 is no JSON object"],
    ["has no id", "say({ spans: [] });", "line 1 has no id"],
    ["has no spans", "say({ id });", "line 1 has no list of spans"],
    ["has another id", "say({ id: id + 100000, spans: [] });", "an id that is not asked for"],
    ["comes twice", "say({ id, spans: [] }); say({ id, spans: [] });", "was answered before"],
    [
      "has a span that ends outside",
      `say({ id, spans: [{ start: 0, end: 1e6, category: "x" }] });`,
      "outside its text",
    ],
    ["has an empty span", `say({ id, spans: [{ start: 1, end: 1, category: "x" }] });`, "outside its text"],
    ["has half offsets", `say({ id, spans: [{ start: 0.5, end: 1, category: "x" }] });`, "outside its text"],
    ["has no category", "say({ id, spans: [{ start: 0, end: 1 }] });", "without a valid category"],
    [
      "counts bytes",
      `say({ id, spans: [{ start: 0, end: 1, category: "x", text: Buffer.from(text).subarray(0, 2).toString() }] });`,
      "offsets count characters",
    ],
    ["never ends its line", `if (id === 1) process.stdout.write("x".repeat(17 << 20));`, "a line that is too long"],
  ])("ends the run where an answer %s", async (_, body, message) => {
    const place = await stored();
    const { code, stderr } = await exported(place, write(place, "liar.cjs", program(body)), "-o", "liar.ndjson");
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect(existsSync(place.path("liar.ndjson"))).toBe(false);
    expect(stderr).not.toMatch(/[您我好]/);
  });

  test.each([
    ["crashes", program("if (id > 3) process.exit(7); say({ id, spans: [] });"), "ended with exit code 7"],
    ["reads nothing", "process.exit(0);", "ended with exit code 0"],
    ["ends early without an error", program("if (id > 3) process.exit(0); say({ id, spans: [] });"), "exit code 0"],
    ["is killed", program(`process.kill(process.pid, "SIGKILL");`), "ended with SIGKILL"],
    ["says nothing", program(""), "was silent for 1 s (--redact-timeout)"],
    ["quotes a text on stderr", program("console.error(text); process.exit(1);"), "ended with exit code 1"],
  ])("ends the run of an export and of a set where the program %s", async (_, source, message) => {
    const place = await stored();
    const command = write(place, "bad.cjs", source);
    const { code, stderr } = await exported(place, command, "-o", "bad.ndjson", "--redact-timeout", "1s");
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect(stderr).toContain("The redact command node ");
    expect(stderr).not.toMatch(/[您我好]/);
    expect(existsSync(place.path("bad.ndjson"))).toBe(false);
    const args = ["dataset", "--redact-command", command, "--redact-timeout", "1s", "-o", "bad-set"];
    const set = await place.runHere(args);
    expect({ code: set.code, stderr: set.stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect(existsSync(place.path("bad-set", "manifest.json"))).toBe(false);
  });

  test.each([
    ["there is no such program", "no-such-program-anywhere", 'there is no program "no-such-program-anywhere"'],
    ["a quote is open", "node 'hello.cjs", "a quote that is not closed"],
    ["it is empty", " ", "names no program"],
  ])("is refused before any work if %s", async (_, command, message) => {
    const place = await stored();
    for (const words of [
      ["export", "--offline", "-o", "x.ndjson"],
      ["dataset", "-o", "x"],
    ]) {
      const { code, stderr } = await place.runHere([...words, "--redact-command", command]);
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    }
    expect((await exported(place, "node x", "-f", "raw")).code).toBe(2);
  });

  test("is stopped with the run: Ctrl-C does not wait for a silent program", async () => {
    const place = await stored();
    const command = write(place, "silent.cjs", program(`if (id === 1) process.kill(process.ppid, "SIGINT");`));
    const ran = await place.run(["export", "--offline", "--redact-command", command, "-o", "out.ndjson"]);
    expect(ran).toMatchObject({ code: 130 });
    expect(existsSync(place.path("out.ndjson"))).toBe(false);
  });
});

describe("spans of an answer", () => {
  test("count characters, so that a face is one", () => {
    const text = "🦊我叫张伟🦊";
    expect(spansIn(text, [{ start: 3, end: 5, category: "PER", text: "张伟" }])).toEqual([
      { start: 4, end: 6, name: "per" },
    ]);
    expect(spansIn(text, [{ start: 0, end: 6, category: "x" }])).toEqual([{ start: 0, end: text.length, name: "x" }]);
    expect(() => spansIn(text, [{ start: 0, end: 7, category: "x" }])).toThrow("outside its text");
    expect(() => spansIn(text, [{ start: -1, end: 2, category: "x" }])).toThrow("outside its text");
  });

  test("are redacted beside our own: longest first, placeholders stay", async () => {
    const redact = await createRedactor({ categories: ["name"] });
    const found = (text: string, ...spans: [number, number, string][]) =>
      redact(callOf(text), new Map([[text, spans.map(([start, end, name]) => ({ start, end, name }))]])).transcript
        .turns[0]?.text;
    expect(found("我叫张伟，在华为上班", [2, 4, "name"], [6, 8, "company"])).toBe("我叫<NAME_1>，在<COMPANY_1>上班");
    expect(found("我叫张伟明天来", [2, 5, "person"])).toBe("我叫<PERSON_1>天来");
    expect(found("打<PHONE_1>找老张", [1, 10, "number"], [11, 13, "name"])).toBe("打<PHONE_1>找<NAME_1>");
  });
});
