import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import Papa from "papaparse";
import { describe, expect, test } from "vitest";
import { summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

interface Shape {
  turns: number;
  /** Characters of a field that every row of CSV repeats. */
  field: number;
}

const log = ({ turns, field }: Shape): string =>
  JSON.stringify({
    startTime: 1755138072.5,
    agentUserId: "长".repeat(field),
    dialog: Array.from({ length: turns }, (_, at) => ({
      id: at + 1,
      begin: at,
      role: at % 2 === 0 ? "user" : "agent",
      type: "normal",
      text: `"${at}"`,
      mood: at,
    })),
  });

/** An archive that holds these calls, and two ordinary ones before them. */
const stored = async (...bodies: [id: string, body: string][]): Promise<Workplace> => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 2 });
  for (const [id, body] of bodies) cloud.add({ id, body });
  const pulled = await place.runHere(["pull", "-q", ...cloud.ids()]);
  expect(pulled.code).toBe(0);
  return place;
};

const sums = (place: Workplace, folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(place.path(folder))
      .filter((name) => name !== "manifest.json")
      .map((name) => [
        name,
        createHash("sha256")
          .update(readFileSync(place.path(folder, name)))
          .digest("hex"),
      ]),
  );

/** The environment that bounds what JSON.stringify makes. */
const shortTexts = (longest: number): Record<string, string> => ({
  NODE_OPTIONS: `--import=${new URL("../helpers/short-texts.mjs", import.meta.url).href}`,
  LONGEST: String(longest),
});

describe("a document whose output is much larger than the document", () => {
  test("600 MB of CSV from half a megabyte, on threads too", async () => {
    const place = await stored(["odd", log({ turns: 5_200, field: 40_000 })]);
    for (const threads of ["0", "2"]) {
      const args = ["export", "--offline", "-f", "csv", "--threads", threads, "--log-format", "json"];
      const ran = await place.run([...args, "-o", "/dev/null"]);
      expect({ code: ran.code, ...summaryOf(ran) }).toMatchObject({ code: 0, selected: 3, exported: 3, invalid: 0 });
    }
  });

  test("has each row once and in order, and threads write the same bytes", async () => {
    const place = await stored(["odd", log({ turns: 5_200, field: 400 })]);
    const seen: object[] = [];
    for (const threads of ["0", "2"]) {
      const flags = ["--threads", threads, "-o", `out-${threads}/`];
      expect((await place.run(["export", "--offline", "-f", "csv,ndjson", ...flags])).code).toBe(0);
      seen.push(sums(place, `out-${threads}`));
    }
    expect(seen[1]).toEqual(seen[0]);
    const table = Papa.parse<Record<string, string>>(place.read("out-0", "transcripts.csv"), { header: true });
    const rows = table.data.filter((row) => row.call_id === "odd");
    expect(rows.map(({ turn }) => Number(turn))).toEqual(Array.from({ length: 5_200 }, (_, at) => at + 1));
    expect(new Set(rows.map((row) => row.agent_user_id))).toEqual(new Set(["长".repeat(400)]));
    const manifest = JSON.parse(place.read("out-0", "manifest.json"));
    const rowsOf = (name: string) => manifest.files.find((file: { name: string }) => file.name === name).rows;
    expect(rowsOf("transcripts.csv")).toBe(table.data.length - 1);
    expect(rowsOf("transcripts.ndjson")).toBe(3);
    // Written turn by turn, a line is what JSON.stringify would have made of the whole.
    const lines = place.read("out-0", "transcripts.ndjson").trim().split("\n");
    expect(lines.map((line) => JSON.stringify(JSON.parse(line)))).toEqual(lines);
    expect(lines.map((line) => JSON.parse(line)).find(({ id }) => id === "odd").turns).toHaveLength(5_200);
  });
});

describe("a conversation that a format cannot write", () => {
  test("is logged with the format, counts as invalid, and leaves nothing half-written; all others are exported", async () => {
    const place = await stored(["odd", log({ turns: 3, field: 30_000 })], ["fine", log({ turns: 3, field: 3 })]);
    const ids = ["fine", ...[...(place.emulator?.ids() ?? [])].slice(0, 2)];
    for (const threads of ["0", "2"]) {
      const args = ["export", "--offline", "-f", "ndjson,csv,raw", "--threads", threads, "--log-format", "json"];
      const ran = await place.run([...args, "-o", `out-${threads}/`], { env: shortTexts(20_000) });
      const warned = ran.stderr.split("\n").filter((line) => line.includes('"event":"invalid"'));
      expect(warned.map((line) => JSON.parse(line))).toEqual([
        expect.objectContaining({
          level: "warn",
          id: "odd",
          format: "ndjson",
          message: expect.stringMatching(/large/),
        }),
      ]);
      expect({ code: ran.code, ...summaryOf(ran) }).toMatchObject({ code: 3, selected: 4, exported: 3, invalid: 1 });
      const out = `out-${threads}`;
      expect(new Set(place.rows(out, "transcripts.ndjson").map(({ id }) => id))).toEqual(new Set(ids));
      const { data } = Papa.parse<Record<string, string>>(place.read(out, "transcripts.csv"), { header: true });
      expect(data.filter((row) => row.call_id === "odd")).toHaveLength(3);
      expect(readdirSync(place.path(out, "raw"))).toHaveLength(5);
    }
    const again = await place.run(["export", "--offline", "-f", "ndjson", "-o", "parts/", "--new"], {
      env: shortTexts(20_000),
    });
    expect([again.code, again.stderr]).toEqual([3, expect.stringMatching(/odd.*ndjson/)]);
    // What one run could not write is not taken for delivered.
    expect((await place.run(["export", "--offline", "-f", "ndjson", "-o", "parts/", "--new"])).code).toBe(0);
    expect(place.rows("parts", "transcripts-00002.ndjson").map(({ id }) => id)).toEqual(["odd"]);
  });

  test("is dropped from a data set with the reason; all others are in it", async () => {
    const long = JSON.stringify({
      startTime: 1755138072.5,
      dialog: ["user", "agent"].map((role, at) => ({
        id: at,
        begin: at,
        role,
        type: "normal",
        text: "x".repeat(30_000),
      })),
    });
    const place = await stored(["odd", long]);
    const ran = await place.run(["dataset", "--split", "train=1", "-o", "set"], { env: shortTexts(20_000) });
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("3 calls read")]);
    expect(place.rows("set", "dropped.ndjson")).toContainEqual(expect.objectContaining({ id: "odd" }));
    expect(place.rows("set", "train.jsonl").length).toBeGreaterThan(0);
  });
});
