import { existsSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const stored = async (calls = 60) => {
  const place = workplace();
  const cloud = await place.cloud({ calls });
  const ids = [...cloud.ids()];
  expect((await place.runHere(["pull", "-q", "-i", "-"], { input: ids.join("\n") })).code).toBe(0);
  return { place, cloud, ids };
};
/** Adds calls with these dialogs: `A:` begins a line of the agent, `U:` one of the caller. */
const added = async ({ place, cloud, ids }: Awaited<ReturnType<typeof stored>>, calls: Record<string, string[]>) => {
  const log = JSON.parse(Buffer.from(cloud.callLog(ids[0] ?? "") ?? []).toString());
  const [{ ...turn }] = log.dialog;
  const names = Object.entries(calls).map(([id, lines]) => {
    const dialog = lines.map((line, at) => ({
      ...turn,
      roundId: at,
      role: line.startsWith("A:") ? "agent" : "user",
      type: at === 0 ? "greeting" : "normal",
      text: line.slice(2).trim(),
    }));
    const body = JSON.stringify({ ...log, instanceid: undefined, dialog });
    return cloud.add({ id, body, start: new Date("2025-07-20T00:00:00Z") });
  });
  expect((await place.runHere(["pull", "-q", ...names])).code).toBe(0);
};

interface Origin {
  id: string;
  agent?: string;
  language: string;
  score?: number;
  split: string;
}
const origins = (place: Workplace, folder: string): Origin[] => place.rows<never>(folder, "provenance.ndjson");
const dropped = (place: Workplace, folder: string): { id: string; step: string; reason: string }[] =>
  place.rows<never>(folder, "dropped.ndjson");
const reportOf = (place: Workplace, folder: string) => JSON.parse(place.read(folder, "report.json"));
const countsOf = (values: readonly string[]): number[] => [
  ...values
    .reduce((counts, value) => counts.set(value, (counts.get(value) ?? 0) + 1), new Map<string, number>())
    .values(),
];

/** Scores by the first message of the caller: its characters, up to 30. */
const JUDGE = `
const { appendFileSync } = require("node:fs");
const lines = require("node:readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { id, messages } = JSON.parse(line);
  appendFileSync("asked.txt", "x");
  const text = messages.find(({ role }) => role === "user").content;
  process.stdout.write(JSON.stringify({ id, score: Math.min(30, [...text].length) }) + "\\n");
});`;

describe("dataset --quality", () => {
  const BAD = {
    hangup: ["A: 您好，请讲。", "U: 喂？", "A: 您好？"],
    brief: ["A: 要退货吗？", "U: 是的", "A: 收到了？", "U: 嗯", "A: 破了？", "U: 没有", "A: 好的。"],
    noise: ["A: 您好", "U: 锟斤拷锟斤拷锟斤拷退", "A: 锟斤拷锟斤拷"],
    again: [
      "A: 号码？",
      "U: 三七",
      "A: 没听清。",
      "U: 三七九二",
      "A: 请再说一遍。",
      "U: 我说三七九二",
      "A: 还是听不清。",
    ],
    loops: ["A: 您好", "U: 我想查一下物流", `A: ${"好的我来为您查询物流信息".repeat(12)}`],
    handed: ["A: 您好", "U: 我要投诉快递员", "A: 正在为您转接人工客服。"],
  };
  const REASONS = {
    hangup: "hang-up",
    brief: "one-word",
    noise: "gibberish",
    again: "re-prompts",
    loops: "repetition",
    handed: "transfer",
  };

  test("drops and names what breaks a rule, counts it, and keeps it without the flag", async () => {
    const all = await stored();
    const { place } = all;
    await added(all, BAD);
    expect((await place.runHere(["dataset", "-o", "plain"])).code).toBe(0);
    expect(dropped(place, "plain").filter(({ step }) => step === "quality")).toEqual([]);
    expect((await place.runHere(["dataset", "--quality", "-o", "set"])).code).toBe(0);
    const lost = dropped(place, "set").filter(({ step }) => step === "quality");
    for (const [id, reason] of Object.entries(REASONS)) {
      expect(lost.find((each) => each.id === id)).toMatchObject({ step: "quality", reason });
      expect(origins(place, "set").some((each) => each.id === id)).toBe(false);
    }
    const report = reportOf(place, "set");
    const counted = report.dropped.filter(({ step }: { step: string }) => step === "quality");
    expect(counted.reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0)).toBe(lost.length);
    expect(report.policies.quality).toBe(
      "hang-up=1, one-word=0.9, gibberish=0.3, re-prompts=3, repetition=0.5, transfer=2",
    );

    await place.runHere(["dataset", "--quality-rule", "transfer,re-prompts=4", "-o", "few"]);
    expect(
      dropped(place, "few").flatMap(({ id, step, reason }) => (step === "quality" && id in BAD ? [reason] : [])),
    ).toEqual(["transfer"]);
    await place.runHere(["dataset", "--quality", "--quality-rule", "transfer=off", "-o", "most"]);
    expect(dropped(place, "most").some(({ reason }) => reason === "transfer")).toBe(false);
    const wrong = await place.runHere(["dataset", "--quality-rule", "nonsense", "-o", "x"]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('no rule "nonsense"') });
    const sql = await place.runHere(["dataset", "--task", "text-to-sql", "--quality", "-o", "x"]);
    expect(sql.code).toBe(2);
  });

  test("--max-characters drops longer samples, as check counts them", async () => {
    const { place } = await stored();
    await place.runHere(["dataset", "--max-characters", "1000", "-o", "set"]);
    const reasons = new Set(dropped(place, "set").map(({ reason }) => reason));
    expect(reasons.has("max-characters")).toBe(true);
    expect(origins(place, "set").length).toBeGreaterThan(0);
    expect((await place.runHere(["check", "set", "--max-characters", "1000"])).code).toBe(0);
    await place.runHere(["dataset", "-o", "all"]);
    const found = await place.runHere(["check", "all", "--max-characters", "1000", "-v"]);
    const rows = origins(place, "all").length - origins(place, "set").length;
    expect(found.stdout.match(/too-many-characters/g)?.length).toBeGreaterThanOrEqual(rows);
  });
});

describe("dataset --per-agent and --balance", () => {
  test("keep as many of each, name the others, and choose the same when the set grows", async () => {
    const { place, ids } = await stored(150);
    const run = async (folder: string, ...args: string[]) => {
      const ran = await place.runHere(["dataset", ...args, "-o", folder]);
      expect([ran.code, ran.stderr]).toEqual([0, ran.stderr]);
      return origins(place, folder);
    };
    const perAgent = await run("agents", "--per-agent", "10");
    expect(Math.max(...countsOf(perAgent.map(({ agent = "" }) => agent)))).toBe(10);
    const lost = dropped(place, "agents").filter(({ step }) => step === "per-agent");
    expect(lost.every(({ reason }) => reason === "not-drawn")).toBe(true);
    expect(perAgent.length + dropped(place, "agents").length).toBe(ids.length);

    const balanced = await run("languages", "--balance", "language");
    expect(new Set(countsOf(balanced.map(({ language }) => language))).size).toBe(1);
    expect(dropped(place, "languages").some(({ step }) => step === "balance")).toBe(true);
    const some = await run("some", "--balance", "length", "--sample", "31");
    expect(some).toHaveLength(31);
    const again = await run("again", "--balance", "length", "--sample", "31", "--seed", "other");
    expect(again.map(({ id }) => id)).not.toEqual(some.map(({ id }) => id));
    // Samples of turns come with their call.
    await run("both", "--per-agent", "3", "--preset", "messages,trl");
    const calls = new Set(
      place
        .rows<{ preset: string; conversation: string }>("both", "provenance.ndjson")
        .map(({ conversation }) => conversation),
    );
    expect(calls.size).toBeLessThan(ids.length);
    expect((await place.runHere(["verify", "both"])).code).toBe(0);
  }, 60_000);
});

describe("dataset with scores", () => {
  test("asks a command once about each sample, also in later runs, and drops low scores", async () => {
    const { place } = await stored();
    writeFileSync(place.path("judge.cjs"), JUDGE);
    const run = (folder: string, ...args: string[]) =>
      place.runHere(["dataset", "--score-command", "node judge.cjs", ...args, "-o", folder]);
    const asked = () => place.read("asked.txt").length;
    const first = await run("all");
    expect({ code: first.code, stderr: first.stderr }).toMatchObject({ code: 0 });
    const scores = new Map(origins(place, "all").map(({ id, score }) => [id, score]));
    expect([...scores.values()].every((score) => Number.isInteger(score))).toBe(true);
    const once = asked();
    expect(once).toBeGreaterThanOrEqual(scores.size);
    expect(existsSync(place.path("callarchive.db.scores"))).toBe(true);

    const second = await run("good", "--min-score", "12", "--sample", "20");
    expect({ code: second.code, stderr: second.stderr }).toMatchObject({ code: 0 });
    expect(asked()).toBe(once);
    const low = dropped(place, "good").filter(({ step }) => step === "score");
    expect(low.length).toBeGreaterThan(0);
    for (const { id, reason } of low) {
      expect(reason).toBe("min-score");
      if (scores.has(id)) expect(scores.get(id)).toBeLessThan(12);
    }
    const good = origins(place, "good");
    expect(good).toHaveLength(20);
    for (const { id, score } of good) expect([id, score]).toEqual([id, scores.get(id)]);
    expect(reportOf(place, "good").policies).toMatchObject({ "score-command": true, "min-score": 12 });

    // Another command is asked anew; samples of turns have scores of their own.
    await run("turns", "--expand", "turn", "--preset", "trl");
    expect(asked()).toBeGreaterThan(once);
    const other = await place.runHere(["dataset", "--score-command", "node judge.cjs v2", "-o", "other"]);
    expect(other.code).toBe(0);
    expect(asked()).toBeGreaterThan(2 * once);
  });

  test("a set with scores is the same as one without, except for the scores", async () => {
    const { place } = await stored();
    writeFileSync(place.path("judge.cjs"), JUDGE);
    const args = ["dataset", "--preset", "messages,trl", "--dedupe", "near", "--shuffle"];
    await place.runHere([...args, "-o", "plain"]);
    await place.runHere([...args, "--score-command", "node judge.cjs", "-o", "scored"]);
    for (const name of ["messages/train.jsonl", "trl/train.jsonl", "dropped.ndjson"])
      expect(place.read("scored", ...name.split("/"))).toBe(place.read("plain", ...name.split("/")));
  });

  test.each([
    ["crashes", "process.exit(7);", "The score command node ended with exit code 7"],
    ["gives no number", `say({ id, score: "good" });`, "line 1 has no score that is a number"],
    ["gives no JSON", `process.stdout.write("9\\n");`, "line 1 is no JSON object"],
    ["says nothing", "", "was silent for 1 s (--score-timeout)"],
  ])("ends the run where the command %s, and quotes nothing", async (_, body, message) => {
    const { place } = await stored(10);
    const source = `
const say = (answer) => process.stdout.write(JSON.stringify(answer) + "\\n");
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => { const { id } = JSON.parse(line); ${body} });`;
    writeFileSync(place.path("bad.cjs"), source);
    const args = ["dataset", "--score-command", "node bad.cjs", "--score-timeout", "1s", "-o", "set"];
    const { code, stderr } = await place.runHere(args);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect(stderr).not.toMatch(/[您我好]/);
    expect(existsSync(place.path("set", "manifest.json"))).toBe(false);
  });

  test("takes scores of people from files, which count before those of a command", async () => {
    const { place } = await stored(40);
    await place.runHere(["dataset", "-o", "plain"]);
    const ids = origins(place, "plain").map(({ id }) => id);
    const [one = "", two = "", three = "", four = ""] = ids;
    writeFileSync(place.path("plain.csv"), `\ufeffid,score,note\n${one},5,"a, b"\n${two},1,\n${three},,\n`);
    const run = (folder: string, ...args: string[]) =>
      place.runHere(["dataset", "--min-score", "3", ...args, "-o", folder]);
    expect((await run("csv", "--scores", "plain.csv")).code).toBe(0);
    expect(origins(place, "csv").map(({ id, score }) => [id, score])).toEqual([[one, 5]]);
    const reasons = new Map(dropped(place, "csv").map(({ id, reason }) => [id, reason]));
    expect([two, three, four].map((id) => reasons.get(id))).toEqual(["min-score", "no-score", "no-score"]);

    const argilla = [one, two].map((id, at) => ({
      id,
      fields: {},
      responses: { quality: [2, 5].map((value) => ({ value: value - at, user_id: "u" })) },
    }));
    writeFileSync(place.path("argilla.json"), JSON.stringify(argilla));
    await run("argilla", "--scores", "argilla.json");
    expect(origins(place, "argilla").map(({ id, score }) => [id, score])).toEqual([[one, 3.5]]);

    const task = { id: 1, data: { id: two }, annotations: [{ result: [{ from_name: "q", value: { rating: 4 } }] }] };
    writeFileSync(place.path("studio.jsonl"), `${JSON.stringify(task)}\n\n`);
    await run("studio", "--scores", "plain.csv", "--scores", "studio.jsonl");
    expect(origins(place, "studio").map(({ id, score }) => [id, score])).toEqual(
      ids.slice(0, 2).map((id) => [id, id === one ? 5 : 4]),
    );
    // The score of a conversation is that of its turns.
    await run("turns", "--scores", "plain.csv", "--expand", "turn", "--preset", "trl");
    const turns = origins(place, "turns");
    expect(turns.length).toBeGreaterThan(0);
    expect(turns.every(({ id, score }) => id.startsWith(`${one}#`) && score === 5)).toBe(true);

    writeFileSync(place.path("judge.cjs"), JUDGE);
    await place.runHere(["dataset", "--scores", "plain.csv", "--score-command", "node judge.cjs", "-o", "mixed"]);
    const mixed = new Map(origins(place, "mixed").map(({ id, score }) => [id, score]));
    expect([mixed.get(one), mixed.get(two)]).toEqual([5, 1]);
    expect(mixed.get(four)).toBeGreaterThan(0);
  });

  test.each([
    ["no such file", ["--scores", "none.csv"], "none.csv: there is no such file"],
    ["no scores", ["--scores", "empty.csv"], "empty.csv has no scores"],
    ["no ids", ["--scores", "ids.jsonl"], "row 1 has no id and score"],
    ["no JSON", ["--scores", "text.jsonl"], "line 1 is not JSON"],
    ["several questions", ["--scores", "two.jsonl"], "has numbers for a, b"],
    ["--min-score alone", [], "--min-score needs scores"],
    ["no program", ["--score-command", "no-such-program"], '--score-command: there is no program "no-such-program"'],
  ])("is refused before any work: %s", async (_, args, message) => {
    const { place } = await stored(1);
    writeFileSync(place.path("empty.csv"), "id,score\n");
    writeFileSync(place.path("ids.jsonl"), '{"score":1}\n');
    writeFileSync(place.path("text.jsonl"), "secret words\n");
    const responses = { a: [{ value: 1 }], b: [{ value: 2 }] };
    writeFileSync(place.path("two.jsonl"), `${JSON.stringify({ id: "x", responses })}\n`);
    const { code, stderr } = await place.runHere(["dataset", "--min-score", "1", ...args, "-o", "set"]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    expect(stderr).not.toContain("secret");
    expect(existsSync(place.path("set"))).toBe(false);
  });
});
