import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { INTERRUPTED } from "../../src/core/transcript.ts";
import { faulty } from "../helpers/faulty.ts";
import { SOAK } from "../helpers/soak.ts";
import { TEMPLATE, TOKENIZER } from "../helpers/tokenizer.ts";
import { parseLines, type Workplace, workplace } from "../helpers/workplace.ts";

const PRESETS = [
  "messages",
  "bailian",
  "llama-factory",
  "ms-swift",
  "axolotl",
  "trl",
  "openai",
  "together",
  "sharegpt",
  "alpaca",
];

/** An archive of emulated calls, and no cloud any more. */
const stored = async (calls = 150) => {
  const place = workplace();
  const cloud = await place.cloud({ calls });
  const ids = [...cloud.ids()];
  expect((await place.runHere(["pull", "-i", "-"], { input: ids.join("\n") })).code).toBe(0);
  const before = { ...cloud.stats.requests };
  return { place, cloud, ids, quiet: () => expect(cloud.stats.requests).toEqual(before) };
};

interface Origin {
  id: string;
  conversation: string;
  split: string;
  tokens?: number;
}
interface Located extends Origin {
  preset: string;
  file: string;
  row: number;
  sha256: string;
  tokens: number;
  turns: { role: string; turns: { id: string }[] }[];
}
const origins = (place: Workplace, folder: string): Origin[] => place.rows<never>(folder, "provenance.ndjson");
const dropped = (
  place: Workplace,
  folder: string,
): { id: string; step: string; reason: string; of?: string; preset?: string; unit?: string }[] =>
  place.rows<never>(folder, "dropped.ndjson");

/** The answers of a row that its trainer learns, in any preset's shape. */
const learnedOf = (row: Record<string, unknown>): string[] => {
  const { output, history = [] } = row as { output?: string; history?: [string, string][] };
  if (output !== undefined) return [output, ...history.map(([, answer]) => answer)];
  type Said = {
    role?: string;
    from?: string;
    content?: string;
    value?: string;
    loss?: boolean;
    train?: boolean;
    weight?: number;
  };
  const said = (row.completion ?? row.messages ?? row.conversations) as Said[];
  return said
    .filter(({ role, from }) => role === "assistant" || from === "gpt")
    .filter(({ loss, train, weight }) => loss !== false && train !== false && weight !== 0)
    .map(({ content, value }) => content ?? value ?? "");
};

describe("dataset", () => {
  test("writes every preset in one pass, as its trainer accepts it, and does not contact the cloud", async () => {
    const { place, ids, quiet } = await stored(400);
    const ran = await place.run(["dataset", "--preset", PRESETS.join(","), "-o", "set"]);
    expect([ran.code, ran.stdout]).toEqual([0, ""]);
    quiet();
    for (const preset of PRESETS) {
      const checked = await place.runHere(["check", `set/${preset}`, "--preset", preset]);
      // Copies are looked for among calls: of rows per agent turn, which are beginnings of calls, some are the same.
      const other = preset === "trl" ? checked.stdout.match(/: error (?!row-in-two-splits).*/g) : checked.stdout;
      const isRight = preset === "trl" ? other === null : checked.code === 0;
      expect([preset, isRight, isRight ? "" : other]).toEqual([preset, true, ""]);
    }
    // Every call is accounted for, once.
    const kept = new Set(origins(place, "set").map(({ conversation }) => conversation));
    const lost = dropped(place, "set").filter(({ preset, unit }) => (preset ?? unit) === undefined);
    expect([...kept, ...lost.map(({ id }) => id)].toSorted()).toEqual(ids.toSorted());
    expect((await place.runHere(["verify", "set"])).code).toBe(0);
    expect(JSON.parse(place.read("set", "llama-factory", "dataset_info.json"))).toBeTypeOf("object");
  }, 120_000);

  test("the same archive gives the same bytes, on another machine too", async () => {
    const { place } = await stored(60);
    const args = ["dataset", "--preset", "messages,trl", "--shuffle", "--redact", "all", "--dedupe", "near"];
    await place.runHere([...args, "-o", "one"]);
    await place.run([...args, "-o", "two"], { env: { TZ: "Asia/Shanghai", LANG: "zh_CN.UTF-8", HOME: "/nowhere" } });
    execFileSync("diff", ["-r", "one", "two"], { cwd: place.folder });
  });

  test("more calls never move an old one to another split, nor a shuffled one past another", async () => {
    const { place, ids } = await stored(200);
    const half = ids.slice(0, 100).join("\n");
    await place.runHere(["dataset", "-i", "-", "--shuffle", "-o", "half"], { input: half });
    await place.run(["dataset", "--shuffle", "-o", "all"]);
    const before = new Map(origins(place, "half").map(({ id, split }) => [id, split]));
    const after = new Map(origins(place, "all").map(({ id, split }) => [id, split]));
    expect(before.size).toBeGreaterThan(80);
    for (const [id, split] of before) expect([id, after.get(id)]).toEqual([id, split]);
    const [lines, all] = ["half", "all"].map((set) => place.read(set, "train.jsonl").trim().split("\n"));
    const known = new Set(lines);
    expect(all?.filter((line) => known.has(line))).toEqual(lines);
  });

  test("copies are dropped and listed, and near copies are never in two splits", async () => {
    const { place, cloud, ids } = await stored(80);
    const copies: string[] = [];
    for (const [at, id] of ids.slice(0, 40).entries()) {
      const log = JSON.parse(Buffer.from(cloud.callLog(id) ?? []).toString());
      // Half are the same words, half differ in one.
      const dialog =
        at % 2
          ? log.dialog
          : log.dialog.map((turn: { text: string }, n: number) =>
              n === 0 ? { ...turn, text: `${turn.text} ok` } : turn,
            );
      copies.push(
        cloud.add({
          id: `copy${String(at).padStart(2, "0")}`,
          body: JSON.stringify({ ...log, instanceid: undefined, dialog }),
          start: new Date("2025-07-20T00:00:00Z"),
        }),
      );
    }
    await place.runHere(["pull", ...copies]);
    const plain = ["dataset", "--system", "none"];
    await place.runHere([...plain, "-o", "exact"]);
    const exact = dropped(place, "exact").filter(({ step }) => step === "dedupe");
    expect(exact.length).toBeGreaterThan(10);
    expect(exact.every(({ reason, of }) => /^(exact|near)-duplicate(-across-splits)?$/.test(reason) && of)).toBe(true);
    await place.run([...plain, "--dedupe", "near", "-o", "near"]);
    const near = dropped(place, "near").filter(({ reason }) => reason.startsWith("near"));
    expect(near.length).toBeGreaterThan(exact.filter(({ reason }) => reason.startsWith("near")).length);
    const splitOf = new Map(origins(place, "exact").map(({ conversation, split }) => [conversation, split]));
    for (const { id, of } of near) {
      const [mine, other] = [splitOf.get(id), splitOf.get(of ?? "")];
      if (mine && other) expect([id, mine]).toEqual([id, other]);
    }
  });

  test("redaction leaves no number behind, and counts without quoting", async () => {
    const { place } = await stored(120);
    await place.runHere([
      "dataset",
      "--greeting",
      "system",
      "--redact",
      "phone,id-card",
      "--redact-pattern",
      "HELLO=您好",
      "-o",
      "set",
    ]);
    const text = readdirSync(place.path("set"))
      .filter((name) => /jsonl|html|json$/.test(name))
      .map((name) => place.read("set", name))
      .join("");
    expect(text).toContain("<PHONE_1>");
    expect(text).toContain("<HELLO_1>");
    expect(text).not.toMatch(/(?<!\d)1[3-9]\d{9}(?!\d)/);
    expect(text).not.toMatch(/幺[三五七八九零幺二四六]{10}/);
    const report = JSON.parse(place.read("set", "report.json"));
    expect(report.redacted.phone).toBeGreaterThan(10);
    const exported = await place.run([
      "export",
      "--offline",
      "--redact",
      "all",
      "-f",
      "ndjson,csv,messages",
      "-o",
      "out/",
    ]);
    expect(exported.stderr).toMatch(/redacted: .*phone \d+/);
    expect(place.read("out", "transcripts.ndjson")).not.toMatch(/"caller":"\d/);
    expect((await place.runHere(["export", "--offline", "--redact", "all", "-f", "raw"])).code).toBe(2);
    expect((await place.runHere(["dataset", "--redact", "names"])).stderr).toContain(
      '--redact has no category "names"',
    );
  });

  test("limits, languages and expansion drop or change calls with a named reason", async () => {
    const { place, ids } = await stored(120);
    const args = [
      "--min-turns",
      "4",
      "--max-turns",
      "30",
      "--language",
      "zh",
      "--min-duration",
      "20s",
      "--strip-fillers",
      "--expand",
      "turn",
      "--preset",
      "ms-swift",
    ];
    const ran = await place.run(["dataset", ...args, "-o", "set"]);
    expect(ran.code).toBe(0);
    const steps = new Set(dropped(place, "set").map(({ step }) => step));
    expect(steps.has("language")).toBe(true);
    expect(origins(place, "set").length).toBeGreaterThan(ids.length);
    expect(origins(place, "set").every(({ id }) => /#\d+$/.test(id))).toBe(true);
    const rows = place.rows<{ messages: { role: string; loss?: boolean }[] }>("set", "train.jsonl");
    expect(
      rows.every(({ messages }) =>
        messages.filter(({ role }) => role === "assistant").every(({ loss }) => typeof loss === "boolean"),
      ),
    ).toBe(true);
    expect((await place.runHere(["check", "set", "--preset", "ms-swift"])).code).toBe(0);
  });

  test("--sample keeps n samples, the same ones when the set grows; --split and sharding name their files", async () => {
    const { place } = await stored(150);
    await place.runHere(["dataset", "--sample", "20", "--split", "train=0.5,test=0.5", "-o", "few"]);
    await place.runHere(["dataset", "--sample", "40", "--split", "train=0.5,test=0.5", "-o", "more"]);
    const [few, more] = ["few", "more"].map((set) => origins(place, set).map(({ id }) => id));
    expect([few?.length, more?.length]).toEqual([20, 40]);
    expect(few?.every((id) => more?.includes(id))).toBe(true);
    await place.run(["dataset", "--split", "train=1", "--max-file-size", "60KB", "-o", "shards"]);
    const names = readdirSync(place.path("shards")).filter((name) => name.endsWith(".jsonl"));
    expect(names.length).toBeGreaterThan(2);
    expect(names[0]).toBe(`train-00000-of-${String(names.length).padStart(5, "0")}.jsonl`);
    expect(names.every((name) => readFileSync(place.path("shards", name)).length <= 60 * 1024)).toBe(true);
    expect((await place.runHere(["check", "shards", "--preset", "messages"])).code).toBe(0);
  });

  test("provenance finds every row: after shuffling, in shards, with several presets, compressed and in Parquet", async () => {
    const { place } = await stored(60);
    const forms = [[], ["--shuffle"], ["--gzip", "--shuffle"], ["--max-file-size", "60KB"], ["--parquet", "--shuffle"]];
    for (const [at, form] of forms.entries()) {
      const folder = `set${at}`;
      // Some readers do not unpack.
      const presets = form.includes("--gzip") ? ["messages", "trl", "axolotl"] : PRESETS;
      const args = ["--preset", presets.join(","), "--system", "none", "--tokenizer", "tokenizer.json"];
      writeFileSync(place.path("tokenizer.json"), JSON.stringify(TOKENIZER));
      writeFileSync(place.path("tokenizer_config.json"), JSON.stringify({ chat_template: TEMPLATE }));
      const ran = await place.runHere(["dataset", ...args, ...form, "-o", folder]);
      expect([form, ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([form, 0, ""]);
      const lines = place.rows<Located>(folder, "provenance.ndjson");
      const { files } = JSON.parse(place.read(folder, "report.json")) as { files: { name: string; rows: number }[] };
      // Each row of each file once.
      expect(lines.map(({ file, row }) => `${file}:${row}`).toSorted()).toEqual(
        files.flatMap(({ name, rows }) => Array.from({ length: rows }, (_, n) => `${name}:${n + 1}`)).toSorted(),
      );
      for (const line of lines) {
        expect(line.file).toMatch(new RegExp(`^${line.preset}/${line.split}`));
        expect([line.id.startsWith(line.conversation), line.tokens > 0]).toEqual([true, true]);
      }
      if (form.includes("--parquet")) {
        // The text of the row, as JSON lines have it.
        const sums = (set: string) =>
          place.rows<Located>(set, "provenance.ndjson").map(({ preset, id, sha256 }) => `${preset} ${id} ${sha256}`);
        expect(sums(folder).toSorted()).toEqual(sums("set1").toSorted());
        continue;
      }
      const texts = new Map(
        files.map(({ name }) => {
          const bytes = readFileSync(place.path(folder, name));
          return [name, (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString().split("\n")];
        }),
      );
      for (const { file, row, sha256 } of lines)
        expect(
          createHash("sha256")
            .update(texts.get(file)?.[row - 1] ?? "")
            .digest("hex"),
        ).toBe(sha256);
    }
    const words = place.rows<Located>("set0", "provenance.ndjson").filter(({ preset }) => preset === "trl");
    const row = place.rows<{ prompt: unknown[]; completion: unknown[] }>("set0", "trl", "train.jsonl")[0];
    expect(words[0]?.turns.map(({ role }) => role)).toHaveLength((row?.prompt.length ?? 0) + 1);
  });

  test("gzip and Parquet hold the same rows", async () => {
    const { place } = await stored(60);
    await place.runHere(["dataset", "-o", "plain"]);
    await place.runHere(["dataset", "--gzip", "-o", "packed"]);
    await place.run(["dataset", "--parquet", "-o", "columns"]);
    const plain = place.rows<{ messages: unknown }>("plain", "train.jsonl");
    expect(parseLines(gunzipSync(readFileSync(place.path("packed", "train.jsonl.gz"))).toString())).toEqual(plain);
    const { parquetReadObjects } = await import("hyparquet");
    const file = readFileSync(place.path("columns", "train.parquet"));
    const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;
    const rows = await parquetReadObjects({ file: bytes });
    expect(rows.map(({ messages }) => ({ messages }))).toEqual(plain);
  });

  test("a budget of tokens, counted by a tokenizer from a file, is kept by dropping or by cutting at whole turns", async () => {
    const { place } = await stored(60);
    writeFileSync(place.path("tokenizer.json"), JSON.stringify(TOKENIZER));
    writeFileSync(place.path("tokenizer_config.json"), JSON.stringify({ chat_template: TEMPLATE }));
    const budget = ["--max-tokens", "1500", "--tokenizer", "tokenizer.json"];
    await place.runHere(["dataset", ...budget, "-o", "dropped"]);
    await place.run(["dataset", ...budget, "--over-budget", "cut", "-o", "cut"]);
    const [less, more] = ["dropped", "cut"].map((set) => origins(place, set));
    expect([...(less ?? []), ...(more ?? [])].every(({ tokens = 9999 }) => tokens <= 1500)).toBe(true);
    expect(
      dropped(place, "dropped").some(({ step, reason }) => step === "max-tokens" && reason === "over-budget"),
    ).toBe(true);
    expect(more?.length).toBeGreaterThan(less?.length ?? 0);
    expect((await place.runHere(["check", "cut", "--preset", "messages"])).code).toBe(0);
  });

  test("a second run with another policy removes all files of the old set, and refuses a folder that is not a data set", async () => {
    const { place } = await stored(40);
    await place.runHere(["dataset", "--preset", "messages,trl", "-o", "set"]);
    expect(existsSync(place.path("set", "trl", "train.jsonl"))).toBe(true);
    await place.run(["dataset", "--split", "train=1", "-o", "set"]);
    expect(
      readdirSync(place.path("set"), { recursive: true })
        .map(String)
        .filter((name) => name.endsWith(".jsonl")),
    ).toEqual(["train.jsonl"]);
    expect((await place.runHere(["verify", "set"])).code).toBe(0);
    await place.runHere(["export", "--offline", "-o", "out/"]);
    const refused = await place.runHere(["dataset", "-o", "out"]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("not a data set of callarchive")]);
    writeFileSync(place.path("keep.txt"), "x");
    expect((await place.runHere(["dataset", "-o", "."])).code).toBe(2);
  });

  test("no half answer is learned: masked where the preset can say so, elsewhere cut back or left out, and counted", async () => {
    const { place, cloud, ids } = await stored(300);
    const ran = await place.run([
      "dataset",
      "--preset",
      PRESETS.join(","),
      "--dedupe",
      "none",
      "--split",
      "train=1",
      "-o",
      "set",
    ]);
    expect([ran.code, ran.stderr]).toEqual([
      0,
      expect.stringMatching(/truncated answers learned: 0 \(callers cut off \d+/),
    ]);
    const turns = ids.flatMap((id) => JSON.parse(Buffer.from(cloud.callLog(id) ?? []).toString()).dialog);
    const cut = turns.map(({ text }: { text: string }) => text).filter((text) => text.includes(INTERRUPTED));
    const halves = new Set(
      cut
        .map((text) => (text.split(INTERRUPTED)[0] ?? "").trimEnd())
        .filter((text) => !/[。！？.!?；;…][”"’）)]*$/.test(text)),
    );
    expect(halves.size).toBeGreaterThan(20);
    for (const preset of PRESETS) {
      const rows = place.rows<Record<string, never>>("set", preset, "train.jsonl");
      const answers = rows.flatMap(learnedOf);
      expect([preset, rows.length > 200, answers.filter((text) => halves.has(text))]).toEqual([preset, true, []]);
      // What was masked is still in the dialog: the next turn answers it.
      const all = JSON.stringify(rows);
      const kept = [...halves].some((text) => all.includes(`${JSON.stringify(text).slice(0, -1)}"`));
      expect([preset, kept]).toEqual([preset, ["ms-swift", "axolotl", "trl", "openai", "together"].includes(preset)]);
      const alone = await place.runHere([
        "dataset",
        "--preset",
        preset,
        "--dedupe",
        "none",
        "--split",
        "train=1",
        "-o",
        "one",
      ]);
      expect(alone.code).toBe(0);
      const lines = (...names: string[]) =>
        new Set(
          place
            .read(...names)
            .trim()
            .split("\n"),
        );
      expect([preset, lines("one", "train.jsonl")]).toEqual([preset, lines("set", preset, "train.jsonl")]);
    }
    const report = JSON.parse(place.read("set", "report.json"));
    expect(report.truncated).toEqual({ answers: expect.any(Number), learned: 0 });
    expect(report.truncated.answers).toBeGreaterThanOrEqual(halves.size);
    expect(place.read("set", "report.html")).toContain('truncated answers learned</td><td class="n">0<');
    const learns = await place.runHere(["dataset", "--interrupted", "cut", "-o", "cut"]);
    expect(learns.stderr).toMatch(/truncated answers learned: [1-9]/);
    expect(JSON.parse(place.read("cut", "report.json")).truncated.learned).toBeGreaterThan(20);
  }, 120_000);

  test("policies and options that a preset cannot express are refused, or named where only some cannot", async () => {
    const { place } = await stored(5);
    const refused: [string[], string][] = [
      [["--interrupted", "mask"], "messages cannot express --interrupted mask"],
      [["--interrupted", "keep", "--preset", "ms-swift,bailian"], "bailian cannot express --interrupted keep"],
      [["--think", "empty"], "messages cannot express --think empty. It is for bailian"],
      [["--content-parts", "--preset", "openai,trl"], "openai, trl cannot express --content-parts"],
    ];
    for (const [args, message] of refused) {
      const ran = await place.runHere(["dataset", ...args, "-o", "set"]);
      expect([args, ran.code, ran.stderr]).toEqual([args, 2, expect.stringContaining(message)]);
      expect(existsSync(place.path("set"))).toBe(false);
    }
    const warned: [string[], string][] = [
      [
        ["--think", "empty", "--preset", "bailian,openai"],
        "cannot express --think empty, and are written without it: openai.",
      ],
      [["--expand", "turn", "--preset", "llama-factory,ms-swift"], "llama-factory cannot exclude it there"],
    ];
    for (const [args, message] of warned) {
      const ran = await place.runHere(["dataset", ...args, "-o", "set"]);
      expect([args, ran.code, ran.stderr]).toEqual([args, 0, expect.stringContaining(message)]);
    }
    for (const preset of ["trl", "ms-swift"]) {
      const ran = await place.runHere(["dataset", "--interrupted", "mask", "--preset", preset, "-o", "set"]);
      expect([preset, ran.code, ran.stderr.includes("cannot")]).toEqual([preset, 0, false]);
    }
  });

  test("--merge-gap and --silence-token part what the agent said after a silence", async () => {
    const { place, cloud } = await stored(1);
    const turn = (begin: number, role: string, text: string) => ({ id: begin, begin, role, type: "normal", text });
    const dialog = [
      turn(1, "user", "订单呢"),
      turn(3, "agent", "已经发货"),
      turn(5, "agent", "明天送到"),
      turn(20, "agent", "您还在吗？"),
      turn(22, "user", "在"),
      turn(23, "agent", "好的。"),
    ];
    const id = cloud.add({ id: "silent", body: JSON.stringify({ dialog }) });
    await place.runHere(["pull", id]);
    const said = async (...args: string[]): Promise<string[]> => {
      const ran = await place.runHere(["dataset", id, "--system", "none", "--split", "train=1", ...args, "-o", "set"]);
      expect(ran.code).toBe(0);
      const [row] = place.rows<{ messages: { content: string }[] }>("set", "train.jsonl");
      return row?.messages.map(({ content }) => content) ?? [];
    };
    expect(await said()).toEqual(["订单呢", "已经发货，明天送到", "在", "好的。"]);
    expect(await said("--merge-gap", "1m")).toEqual(["订单呢", "已经发货，明天送到，您还在吗？", "在", "好的。"]);
    const noted = await said("--silence-token", "（沉默）");
    expect(noted).toEqual(["订单呢", "已经发货，明天送到", "（沉默）", "您还在吗？", "在", "好的。"]);
  });

  test("mistakes end with exit 2, and nothing is written", async () => {
    const { place } = await stored(1);
    const mistakes: [string[], string][] = [
      [["--preset", "gpt"], 'There is no preset "gpt"'],
      [["--greeting", "mask", "--preset", "alpaca"], "cannot express --greeting mask"],
      [["--split", "train=0.5"], "add up to 0.5"],
      [["--gzip", "--preset", "llama-factory"], "does not read compressed files"],
      [["--redact-pattern", "X=("], "is not a regular expression"],
      [["--language", "fr"], "--language knows"],
      [["--max-tokens", "100", "--tokenizer", "nowhere.json"], "nowhere.json"],
      [["--system-file", "nowhere.txt"], "--system-file cannot be read"],
    ];
    for (const [args, message] of mistakes) {
      const ran = await place.runHere(["dataset", ...args, "-o", "set"]);
      expect([args, ran.code, ran.stderr]).toEqual([args, 2, expect.stringContaining(message)]);
      expect(existsSync(place.path("set"))).toBe(false);
    }
  });

  test("the report is self-contained: it fetches nothing, and escapes hostile text", async () => {
    const { place, cloud } = await stored(20);
    const evil = '</script><img src=x onerror="alert(1)">';
    const dialog = [
      { id: 1, begin: 1, role: "user", type: "normal", text: evil },
      { id: 2, begin: 2, role: "agent", type: "normal", text: `${evil} &amp;` },
    ];
    for (let n = 0; n < 12; n += 1)
      cloud.add({
        id: `evil${n}`,
        body: JSON.stringify({ dialog: [...dialog, ...dialog.map((turn) => ({ ...turn, text: `${turn.text}${n}` }))] }),
      });
    await place.runHere(["pull", ...[...cloud.ids()].filter((id) => id.startsWith("evil"))]);
    await place.run(["dataset", "-o", "set", ...[...cloud.ids()].filter((id) => id.startsWith("evil"))]);
    const html = place.read("set", "report.html");
    expect(html).not.toContain("<img");
    expect(html.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/(src|href)=["']?(https?:)?\/\//);
    expect(html).toContain("&lt;img");
  });
});

describe("a data set that was interrupted", () => {
  test("is replaced by the same command, and no file of either set is left over", async () => {
    const { place } = await stored(40);
    await place.runHere(["dataset", "--split", "train=1", "--max-file-size", "20KB", "-o", "set"]);
    const args = ["dataset", "--preset", "messages,trl", "-o", "set"];
    await place.runHere([...args, "-o", "whole"]);
    await place.run([...args, "-o", "count"], { env: faulty({ FAULTY_LOG: place.path("points") }) });
    const points = place.read("points").trim().split("\n");
    for (let at = 2; at <= points.length; at += SOAK ? 2 : 24) {
      await place.runHere(["dataset", "--split", "train=1", "--max-file-size", "20KB", "-o", "set"]);
      const killed = await place.run(args, { env: faulty({ FAULTY_AT: String(at) }) });
      expect(killed.code).toBe(null);
      const ran = await place.runHere(args);
      expect([at, points[at - 1], ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([at, points[at - 1], 0, ""]);
      execFileSync("diff", ["-r", "set", "whole"], { cwd: place.folder });
    }
  }, 600_000);

  test("by a full disk leaves no unfinished file behind, whichever file it was", async () => {
    const { place } = await stored(20);
    await place.run(["dataset", "-o", "set"], { env: faulty({ FAULTY_LOG: place.path("points") }) });
    const points = place.read("points").trim().split("\n").length;
    // The last ones are of the manifests.
    for (const at of SOAK
      ? [2, points - 10, points - 4, points - 3, points - 2, points - 1, points]
      : [2, points - 4, points]) {
      const failed = await place.run(["dataset", "-o", "set"], {
        env: faulty({ FAULTY_AT: String(at), FAULTY_HOW: "ENOSPC" }),
      });
      expect([at, failed.code]).toEqual([at, 1]);
      expect(readdirSync(place.path("set")).filter((name) => name.endsWith(".part"))).toEqual([]);
    }
    expect((await place.run(["dataset", "-o", "set"])).code).toBe(0);
    expect((await place.runHere(["verify", "set"])).code).toBe(0);
  });

  test("a call counts as a copy only of a call that is in the set", async () => {
    const { place, cloud } = await stored(1);
    const said = (words: string) =>
      JSON.stringify({
        dialog: [
          { id: 1, begin: 1, role: "user", type: "normal", text: words },
          { id: 2, begin: 2, role: "agent", type: "normal", text: `${words} ${words}` },
        ],
      });
    for (let n = 0; n < 60; n += 1) {
      const words = `where is parcel number ${n} please tell me where it is now and when it will come to my door this week`;
      cloud.add({ id: `a${n}`, body: said(words), start: new Date(Date.UTC(2025, 6, 1, 0, n)) });
      cloud.add({ id: `b${n}`, body: said(words), start: new Date(Date.UTC(2025, 6, 2, 0, n)) });
    }
    await place.runHere(["pull", "-i", "-"], { input: [...cloud.ids()].filter((id) => /^[ab]\d/.test(id)).join("\n") });
    await place.run(["dataset", "--split", "train=0.5,test=0.5", "-o", "set"]);
    const kept = new Set(origins(place, "set").map(({ conversation }) => conversation));
    const lost = dropped(place, "set").filter(({ step }) => step === "dedupe");
    expect(lost.length).toBeGreaterThan(40);
    for (const { of } of lost) expect(kept.has(of ?? "")).toBe(true);
  });
});
