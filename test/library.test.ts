import { once } from "node:events";
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  ArchiveBusy,
  BadCredentials,
  buildDataset,
  type ContextOptions,
  createContext,
  curate,
  exportConversations,
  NoArchive,
  openArchive,
  presets,
  pull,
  UsageError,
} from "../src/index.ts";
import { parseLines, type Workplace, workplace } from "./helpers/workplace.ts";

/** A context in a folder of its own: a process that is not this one's. */
const contextIn = (place: Workplace, options: ContextOptions = {}) => {
  const stdout = new PassThrough();
  const process_ = {
    env: { TZ: "UTC", ALIBABA_CLOUD_ECS_METADATA_DISABLED: "true" },
    cwd: () => place.folder,
    pid: process.pid,
    versions: { node: process.versions.node },
    kill: process.kill,
    stdin: new PassThrough(),
    stdout,
    stderr: new PassThrough(),
  };
  return { context: createContext(process_, options), stdout };
};

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
};

const WEEK = { since: new Date("2025-07-14T00:00:00Z"), until: new Date("2025-07-21T00:00:00Z") };

/** A cloud, and how a request reaches it. */
const cloudIn = async (place: Workplace, calls: number, latencyMs = 0) => {
  const cloud = await place.cloud({ calls, agents: 1, latencyMs });
  return { cloud, source: { endpoint: cloud.url, keys: cloud.keys, agents: cloud.agents, ...WEEK } };
};

describe("runs", () => {
  test("a pull and an export with defaults say how they came out", async () => {
    const place = workplace();
    const { cloud, source } = await cloudIn(place, 6);
    const { context } = contextIn(place);
    const first = await pull({ ...source, ids: undefined, retries: undefined } as never, context);
    expect(first).toMatchObject({ outcome: "complete", selected: 6, known: 0, throttled: 0, states: { fetched: 6 } });
    expect(first.bytes).toBeGreaterThan(0);
    const requests = { ...cloud.stats.requests };
    const again = await exportConversations({ ...source, output: "week/", formats: ["ndjson", "csv"] }, context);
    expect(again).toMatchObject({ outcome: "complete", counts: { selected: 6, exported: 6 } });
    expect(again.files.map(({ name, rows }) => [name, rows > 0])).toEqual([
      ["transcripts.csv", true],
      ["transcripts.ndjson", true],
    ]);
    expect(place.rows("week", "transcripts.ndjson")).toHaveLength(6);
    expect(cloud.stats.requests.download).toBe(requests.download);
    expect(existsSync(place.path("callarchive.db"))).toBe(true);
  });

  test("after a run, the archive's file alone is complete", async () => {
    const place = workplace();
    const { context } = contextIn(place);
    const { source } = await cloudIn(place, 12);
    await pull({ ...source, archive: "calls.db" }, context);
    copyFileSync(place.path("calls.db"), place.path("copy.db"));
    const archive = await openArchive(place.path("copy.db"));
    expect(await all(archive.calls())).toHaveLength(12);
    await archive.close();
  });

  test("calls that cannot be had are counted and logged, and are no error", async () => {
    const place = workplace();
    const { cloud, source } = await cloudIn(place, 1);
    const events: string[] = [];
    const { context } = contextIn(place, { log: (_, event, { id }) => void events.push(`${event} ${id ?? ""}`) });
    const { agents: _, since: _s, until: _u, ...at } = source;
    const run = await pull({ ...at, ids: [...cloud.ids(), "nobody"] }, context);
    expect(run).toMatchObject({ outcome: "partial", states: { fetched: 1, missing: 1 } });
    expect(events).toContain("missing nobody");
  });

  test("only an output named - goes to the standard output", async () => {
    const place = workplace();
    const { source } = await cloudIn(place, 2);
    const { context, stdout } = contextIn(place);
    await pull(source, context);
    expect(stdout.readableLength).toBe(0);
    const { files, outcome } = await exportConversations({ offline: true, output: "-" }, context);
    expect([files, outcome]).toEqual([[], "complete"]);
    expect(parseLines(String(stdout.read()))).toHaveLength(2);
  });

  test("a data set is made of the archive", async () => {
    const place = workplace();
    const { source } = await cloudIn(place, 20);
    const { context } = contextIn(place);
    await pull(source, context);
    const { outcome, absent, facts } = await buildDataset({ output: "set", until: WEEK.until }, context);
    expect([outcome, absent, facts.calls.read, facts.seed]).toEqual(["complete", 0, 20, "0"]);
    expect(facts.files.map(({ preset, split }) => `${preset}/${split}`)).toContain("messages/train");
    expect(JSON.parse(place.read("set", "report.json"))).toEqual(facts);
  });
});

describe("a signal", () => {
  test("stops a run in order, and the same request goes on", async () => {
    const place = workplace();
    const { cloud, source } = await cloudIn(place, 100, 2);
    const stop = new AbortController();
    const reason = new Error("enough");
    const onProgress = ({ done }: { done: number }): void => {
      if (done >= 20) stop.abort(reason);
    };
    await expect(pull(source, contextIn(place, { signal: stop.signal, onProgress }).context)).rejects.toBe(reason);
    const archive = await openArchive(place.path("callarchive.db"));
    const { counts } = await archive.summary();
    expect(counts.fetched).toBeGreaterThanOrEqual(20);
    expect(counts.fetched).toBeLessThan(100);
    // As a run that Ctrl-C stopped.
    expect((await archive.lastRuns())[0]).toMatchObject({ command: "pull", exitCode: 130 });
    await archive.close();
    const rest = await pull(source, contextIn(place).context);
    expect(rest).toMatchObject({ outcome: "complete", selected: 100, known: counts.fetched });
    expect(cloud.stats.requests.download).toBe(100);
  });

  test("that is aborted already begins nothing; a time limit is recorded as one", async () => {
    const place = workplace();
    const { cloud, source } = await cloudIn(place, 3);
    const signal = AbortSignal.abort(new DOMException("late", "TimeoutError"));
    await expect(pull(source, contextIn(place, { signal }).context)).rejects.toBe(signal.reason);
    expect(cloud.stats.requests.download).toBeUndefined();
    const archive = await openArchive(place.path("callarchive.db"));
    expect((await archive.lastRuns())[0]?.exitCode).toBe(10);
    await archive.close();
  });
});

describe("errors", () => {
  test("say by their class what is wrong", async () => {
    const place = workplace();
    const { source } = await cloudIn(place, 1);
    const { context } = contextIn(place);
    await expect(pull({}, context)).rejects.toThrow(UsageError);
    await expect(exportConversations({ offline: true, output: "x.ndjson" }, context)).rejects.toThrow(NoArchive);
    await expect(openArchive(place.path("callarchive.db"))).rejects.toThrow(NoArchive);
    await expect(pull({ ...source, keys: { accessKeyId: "x", accessKeySecret: "y" } }, context)).rejects.toThrow(
      BadCredentials,
    );
  });

  test("a second run on one archive is refused while the first goes on, or waits for it", async () => {
    const place = workplace();
    const { source } = await cloudIn(place, 20, 100);
    const begun = new PassThrough();
    const { context } = contextIn(place, { onProgress: () => void begun.emit("begun") });
    const first = pull(source, context);
    await once(begun, "begun");
    await expect(pull(source, contextIn(place).context)).rejects.toThrow(ArchiveBusy);
    const second = pull({ ...source, wait: 30 }, contextIn(place).context);
    expect((await first).states.fetched).toBe(20);
    expect(await second).toMatchObject({ selected: 20, known: 20 });
  });
});

describe("an open archive", () => {
  test("gives calls, their documents, and conversations by filter", async () => {
    const place = workplace();
    const { cloud, source } = await cloudIn(place, 12);
    const { context } = contextIn(place);
    await pull(source, context);
    const archive = await openArchive(place.path("callarchive.db"));
    const [id = ""] = cloud.ids();
    const call = await archive.find(id.toUpperCase());
    expect(Buffer.from(call?.document?.bytes ?? []).equals(cloud.callLog(id) ?? Buffer.alloc(0))).toBe(true);
    expect(await archive.find("nobody")).toBeUndefined();
    const calls = await all(archive.calls({ states: ["fetched"] }));
    expect(calls).toHaveLength(12);
    expect(calls.every(({ document }) => document === undefined)).toBe(true);
    const since = new Date(calls[6]?.startedAt ?? 0);
    const late = await all(archive.transcripts({ since, agents: cloud.agents }));
    expect(late.map((each) => each.id)).toEqual(calls.slice(6).map((each) => each.id));
    const made = late[0] && curate(late[0], {});
    expect(made && "samples" in made && presets.messages.line(made.samples[0] as never)).toHaveProperty("messages");
    await archive.close();
  });

  test("leaves out a call log that is none, as its state says", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1, agents: 1 });
    const id = cloud.add({ body: "{}" });
    await pull({ endpoint: cloud.url, keys: cloud.keys, ids: [...cloud.ids(), id] }, contextIn(place).context);
    const archive = await openArchive(place.path("callarchive.db"));
    expect((await archive.summary()).counts).toMatchObject({ fetched: 1, invalid: 1 });
    expect(await all(archive.transcripts())).toHaveLength(1);
    await archive.close();
  });

  test("is refused where the file is something else", async () => {
    const place = workplace();
    writeFileSync(place.path("notes.txt"), "not an archive, though long enough to be read as one. ".repeat(20));
    await expect(openArchive(place.path("notes.txt"))).rejects.toThrow(UsageError);
  });
});
