import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Transcript } from "../src/core/transcript.ts";
import { faulty } from "./helpers/faulty.ts";
import { SOAK } from "./helpers/soak.ts";
import { parseAnyLines, type Ran, type Workplace, workplace } from "./helpers/workplace.ts";

// A made-up source with a record for every line of a conversation: a file that parses it, a line in the registry and its name for
// --source, and all commands know it. Its records come late, twice, shuffled and in two states.

const ROOT = new URL("..", import.meta.url).pathname;

/** As the next source's file in `parse/` will be. */
const PARSE = `import type { StoredConversation } from "../core/records.ts";
import type { Transcript, Turn } from "../core/transcript.ts";

interface Note { id: string; by: string; text: string; minute: number }

export const noteTranscript = (conversation: StoredConversation): Transcript => {
  const { id, agentId, startedAt, records = [], further } = conversation;
  const notes: Note[] = JSON.parse(Buffer.from(further ?? new Uint8Array()).toString());
  const turns = notes.map((note, at): Turn => {
    const time = records[at]?.at;
    return { id: note.id, role: note.by, kind: "normal", text: note.text, ...(time !== undefined && { at: time }) };
  });
  return {
    id,
    source: "notes",
    ...(agentId !== undefined && { agentId }),
    ...(startedAt !== undefined && { startedAt }),
    participants: {},
    turns,
    provenance: { records: records.map(({ source, id: record, sha256, bytes }) => ({ source, id: record, sha256, bytes })) },
  };
};
`;

/** Stores batches of notes, as a source's pull does: \`node notes.js ARCHIVE BATCHES.json\`. */
const ADD = `import { readFileSync } from "node:fs";
import { openArchive } from "./archive/index.ts";
import { digestOf } from "./app/reading.ts";
import type { Arrival } from "./core/records.ts";

interface Note { conversation: string; id: string; by: string; text: string; minute: number; running: boolean }

const [place = "", file = ""] = process.argv.slice(2);
const archive = await openArchive({ place, create: true, now: () => new Date(), digestOf });
const start = Date.parse("2025-07-14T00:00:00Z");
const results: string[] = [];
for (const batch of JSON.parse(readFileSync(file, "utf8")) as Note[][])
  results.push(
    ...(await archive.addRecords(
      batch.map((note): Arrival => ({
        source: "notes",
        conversation: note.conversation,
        agentId: "notebook",
        record: { id: note.id, at: new Date(start + note.minute * 60_000), data: { ...note }, running: note.running },
      })),
    )),
  );
await archive.release();
await archive.close();
console.log(JSON.stringify(results));
`;

interface Note {
  conversation: string;
  id: string;
  by: string;
  text: string;
  minute: number;
  running: boolean;
}

const note = (conversation: string, minute: number, text: string, more: Partial<Note> = {}): Note => ({
  conversation,
  id: `${conversation}-${minute}`,
  by: minute % 2 === 0 ? "user" : "agent",
  text,
  minute,
  running: false,
  ...more,
});

let program = "";
beforeAll(() => {
  program = mkdtempSync(join(tmpdir(), "notes-"));
  for (const name of ["src", "bin", "package.json", "tsconfig.json", "rolldown.config.mjs"])
    cpSync(join(ROOT, name), join(program, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(program, "node_modules"));
  writeFileSync(join(program, "src/parse/notes.ts"), PARSE);
  writeFileSync(join(program, "src/notes.ts"), ADD);
  const change = (name: string, from: string, to: string): void => {
    const before = readFileSync(join(program, name), "utf8");
    expect(before).toContain(from);
    writeFileSync(join(program, name), before.replace(from, to));
  };
  change("src/core/transcript.ts", '"calls" | ', '"calls" | "notes" | ');
  change("src/core/sources.ts", '"chats"', '"chats", "notes"');
  change("src/parse/index.ts", "\n  calls:", "\n  notes: noteTranscript,\n  calls:");
  change("src/parse/index.ts", "import", 'import { noteTranscript } from "./notes.ts";\nimport');
  change("rolldown.config.mjs", "input: {", 'input: {\n    notes: "src/notes.ts",');
  const tsc = spawnSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", program], { encoding: "utf8" });
  expect([tsc.status, tsc.stdout]).toEqual([0, ""]);
  const bundler = [join(ROOT, "node_modules/.bin/rolldown"), "--config", "--log-level", "silent"];
  expect(spawnSync(process.execPath, bundler, { cwd: program }).status).toBe(0);
});
afterAll(() => rmSync(program, { recursive: true, force: true }));

/** The real command of the program that knows notes. */
const run = (place: Workplace, ...args: string[]): Promise<Ran> =>
  place.run(args, { bin: join(program, "bin/callarchive.js") });

const addNotes = async (
  place: Workplace,
  batches: readonly (readonly Note[])[],
  env = {},
  archive = "callarchive.db",
): Promise<Ran> => {
  writeFileSync(place.path("batches.json"), JSON.stringify(batches));
  const args = [place.path(archive), place.path("batches.json")];
  return place.run(args, { bin: join(program, "dist/notes.js"), env });
};

const stored = async (place: Workplace, ...notes: Note[]): Promise<string[]> => {
  const { code, stdout, stderr } = await addNotes(place, [notes]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
};

/** Not held against the published schema, which does not know this source. */
const transcripts = (place: Workplace, ...path: string[]): Transcript[] => parseAnyLines(place.read(...path));

/** What each part of a folder holds: id, revision and texts. */
const parts = (place: Workplace, folder: string) =>
  readdirSync(place.path(folder))
    .filter((name) => name.endsWith(".ndjson"))
    .sort()
    .map((name) =>
      transcripts(place, folder, name).map(({ id, revision, turns }) => [
        id,
        revision,
        turns.map(({ text }) => text).join(" "),
      ]),
    );

describe("a second source, with many records in a conversation", () => {
  test("is known to all commands", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3, agents: 1 });
    expect((await run(place, "pull", ...cloud.ids())).code).toBe(0);
    const results = await stored(
      place,
      note("n1", 3, "fine"),
      note("n1", 2, "how are you", { running: true }),
      note("n2", 2, "hello SECRET"),
      note("n1", 2, "how are you now"),
      note("n2", 2, "hello SECRET"),
    );
    expect(results).toEqual(["added", "added", "added", "replaced", "repeated"]);

    const out = await run(place, "export", "--offline", "-f", "ndjson,csv,messages,raw", "-o", "out/");
    expect([out.code, out.stderr]).toEqual([0, expect.stringContaining("5 exported")]);
    const [n1] = transcripts(place, "out", "transcripts.ndjson").filter(({ id }) => id === "n1");
    expect(n1).toMatchObject({
      source: "notes",
      agentId: "notebook",
      startedAt: "2025-07-14T00:02:00.000Z",
      turns: [{ text: "how are you now" }, { text: "fine" }],
    });
    expect(n1?.provenance.records).toMatchObject([
      { source: "notes", id: "n1-2" },
      { source: "notes", id: "n1-3" },
    ]);
    expect(JSON.parse(place.read("out", "raw", "n2.json"))).toMatchObject([{ text: "hello SECRET" }]);
    expect(place.read("out", "transcripts.csv")).toContain("how are you now");

    const threads = await run(place, "export", "--offline", "-f", "ndjson", "--threads", "2", "-o", "threads/");
    expect(threads.code).toBe(0);
    expect(place.read("threads", "transcripts.ndjson")).toBe(place.read("out", "transcripts.ndjson"));

    expect((await run(place, "list")).stdout).toContain("notes:n1");
    expect((await run(place, "list", "--source", "notes")).stdout.match(/notes:\w+/g)).toEqual([
      "notes:n1",
      "notes:n2",
    ]);
    expect((await run(place, "list", "--source", "calls")).stdout).not.toContain("notes:");
    const shown = await Promise.all([run(place, "show", "n1"), run(place, "show", "notes:n1")]);
    expect(shown.map(({ code, stdout }) => [code, stdout.includes("how are you now")])).toEqual([
      [0, true],
      [0, true],
    ]);
    expect((await run(place, "status")).stdout).toMatch(/5/);
    expect((await run(place, "verify")).code).toBe(0);
    expect((await run(place, "dataset", "--agent", "notebook", "-o", "set")).code).toBe(0);

    expect((await run(place, "forget", "notes:n2")).code).toBe(0);
    expect(readFileSync(place.path("callarchive.db")).includes("n2-2")).toBe(false);
    expect(await stored(place, note("n2", 5, "late"))).toEqual(["dropped"]);
    const after = await run(place, "export", "--offline", "-o", "after.ndjson");
    expect([after.code, after.stderr]).toEqual([0, expect.stringContaining("4 exported")]);
    expect((await run(place, "verify")).code).toBe(0);
  });

  test("a late record makes exactly one revision in the next part, and a record that changes nothing makes none", async () => {
    const place = workplace();
    const next = async () => {
      const ran = await run(place, "export", "--offline", "--new", "-o", "parts/");
      expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
      return /(\d+) of these again/.exec(ran.stderr)?.[1];
    };
    await stored(place, note("a", 1, "one"), note("b", 1, "other"));
    await next();
    await stored(place, note("a", 2, "two"), note("c", 1, "new"));
    await stored(place, note("a", 2, "two"));
    expect(await next()).toBe("1");
    expect(await next()).toBeUndefined();
    await stored(place, note("a", 0, "zero"), note("b", 1, "other"));
    await next();
    expect(parts(place, "parts")).toEqual([
      [
        ["a", undefined, "one"],
        ["b", undefined, "other"],
      ],
      [
        ["a", 2, "one two"],
        ["c", undefined, "new"],
      ],
      [["a", 3, "zero one two"]],
    ]);
    // Elsewhere, and in plain exports, it is there for the first time.
    expect((await run(place, "export", "--offline", "-o", "plain/")).code).toBe(0);
    expect(parts(place, "plain")).toEqual([
      [
        ["a", undefined, "zero one two"],
        ["b", undefined, "other"],
        ["c", undefined, "new"],
      ],
    ]);
    expect((await run(place, "verify", "parts", "plain")).code).toBe(0);
    // What one archive has written, another one learns from the files, revisions too.
    const theirs = ["--archive", "theirs.db"];
    const known = [note("a", 0, "zero"), note("a", 1, "one"), note("a", 2, "two"), note("b", 1, "other")];
    await addNotes(place, [[...known, note("c", 1, "new")]], {}, "theirs.db");
    const before = parts(place, "parts");
    const adopted = await run(place, "export", "--offline", "--new", "--adopt", "-o", "parts/", ...theirs);
    expect([adopted.code, parts(place, "parts")]).toEqual([0, before]);
    await addNotes(place, [[note("a", 3, "three")]], {}, "theirs.db");
    await run(place, "export", "--offline", "--new", "-o", "parts/", ...theirs);
    expect(parts(place, "parts").slice(before.length)).toEqual([[["a", 4, "zero one two three"]]]);
  });

  test("any order, any batches and kills at every commit give the same files", async () => {
    const notes = ["a", "b", "c"].flatMap((conversation, c) => [
      ...[0, 1, 2, 3].map((minute) => note(conversation, minute + c, `${conversation} says ${minute}`)),
      note(conversation, c, `${conversation} began`, { running: true }),
      note(conversation, c, "another text under a known id"),
    ]);
    const exported = async (place: Workplace): Promise<string> => {
      expect((await run(place, "export", "--offline", "-o", "out.ndjson")).code).toBe(0);
      expect((await run(place, "verify")).code).toBe(0);
      return place.read("out.ndjson");
    };
    const whole = workplace();
    await stored(whole, ...notes);
    const expected = await exported(whole);
    expect(expected.trim().split("\n")).toHaveLength(3);

    const place = workplace();
    const batches = [...notes, ...notes.slice(0, 5)].toReversed().map((each) => [each]);
    const log = place.path("points");
    await addNotes(place, batches, faulty({ FAULTY_LOG: log }));
    const points = readFileSync(log, "utf8").trim().split("\n").length;
    expect(points).toBeGreaterThan(20);
    expect(await exported(place)).toBe(expected);
    for (let at = 1; at <= points; at += SOAK ? 1 : 20) {
      for (const end of ["", "-wal", "-shm"]) rmSync(place.path(`callarchive.db${end}`), { force: true });
      const how = at % 2 === 0 ? "kill" : "kill-after";
      const killed = await addNotes(place, batches, faulty({ FAULTY_AT: String(at), FAULTY_HOW: how }));
      expect(killed.code).toBe(null);
      expect((await addNotes(place, batches)).code).toBe(0);
      expect(await exported(place), `${how} at ${at}`).toBe(expected);
    }
  });
});
