import type { ChildProcess } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import type { MediaFile } from "../../src/core/transcript.ts";
import type { Emulator, EmulatorOptions } from "../../src/emulator/index.ts";
import { exported, transcripts } from "../helpers/exported.ts";
import { faulty } from "../helpers/faulty.ts";
import { SOAK } from "../helpers/soak.ts";
import { type Ran, summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const WEEK = ["--since", "2025-07-14", "--until", "2025-07-21"];
const JSON_LOG = ["--log-format", "json"];
const BUCKET = ["--bucket", "emulator-recordings"];
const MEGABYTE = 1024 * 1024;
const ANY_TIME = 100_000;

const pull = (place: Workplace, ...args: string[]): Promise<Ran> => place.runHere(["pull", "recordings", ...args]);

const pullCalls = async (place: Workplace, cloud: Emulator, ...args: string[]): Promise<void> => {
  const ran = await place.runHere(["pull", "--agent", cloud.agents[0] ?? "", ...WEEK, ...args]);
  expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
};

/** A place with a cloud whose calls are in the archive. */
const prepared = async (options: EmulatorOptions = {}, ...flags: string[]) => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 12, agents: 1, recordings: 6, taskDays: ANY_TIME, ...options });
  await pullCalls(place, cloud, ...flags);
  return { place, cloud };
};

/** The files beside the archive, without its parts. */
const stored = (place: Workplace, archive = "callarchive.db"): string[] => {
  const folder = place.path(`${archive}.media`);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => !name.startsWith("parts") && statSync(`${folder}/${name}`).isFile())
    .toSorted();
};

const parts = (place: Workplace, archive = "callarchive.db"): string[] => {
  const folder = place.path(`${archive}.media`, "parts");
  return existsSync(folder) ? readdirSync(folder) : [];
};

/** The media of each call that has some; each file is there, and is what the transcript says. */
const mediaOf = async (place: Workplace, archive = "callarchive.db"): Promise<Map<string, readonly MediaFile[]>> => {
  const found = new Map<string, readonly MediaFile[]>();
  for (const { id, media } of await transcripts(place, "--archive", archive)) {
    if (!media) continue;
    found.set(id, media);
    for (const { path, sha256, bytes } of media) {
      const content = readFileSync(place.path(`${archive}.media`, path.slice("media/".length)));
      expect([hash("sha256", content), content.length]).toEqual([sha256, bytes]);
    }
  }
  return found;
};

/** The ids of the calls that have a file in the bucket. */
const recordedIds = (cloud: Emulator): string[] =>
  [...cloud.recordingTasks()]
    .filter(({ vodIds }) => vodIds.length === 0)
    .flatMap(({ callId }) => callId ?? [])
    .toSorted();

const file = (text: string): Buffer => Buffer.concat([Buffer.from("ID3"), Buffer.from(text)]);

describe("pull recordings", () => {
  test("of a bucket: every file once, joined with its call, nothing the second time", async () => {
    const { place, cloud } = await prepared();
    const ran = await pull(place, ...BUCKET, ...JSON_LOG);
    const summary = summaryOf(ran);
    expect([ran.code, summary]).toEqual([0, expect.objectContaining({ unmatched: 0, waiting: 0, failed: 0 })]);
    expect(summary.found).toBe(summary.added);
    expect(summary.downloaded).toBe(summary.added);
    const media = await mediaOf(place);
    expect([...media.keys()].toSorted()).toEqual(recordedIds(cloud));
    expect([...media.values()].flat()).toHaveLength(Number(summary.added));
    expect(new Set([...media.values()].flat().map(({ kind }) => kind))).toEqual(new Set(["recording", "segment"]));
    expect([parts(place), stored(place).length]).toEqual([[], Number(summary.added)]);
    expect(statSync(place.path("callarchive.db.media")).mode & 0o777).toBe(0o700);
    for (const name of stored(place))
      expect(statSync(place.path("callarchive.db.media", name)).mode & 0o777).toBe(0o600);

    const second = await pull(place, ...BUCKET, ...JSON_LOG);
    const nothing = { added: 0, downloaded: 0, bytes: 0, matched: 0 };
    expect(summaryOf(second)).toMatchObject({ found: summary.found, calls: summary.calls, ...nothing });
    expect((await place.runHere(["verify"])).code).toBe(0);
  });

  test("--prefix, --since and --until choose files of a bucket", async () => {
    const { place, cloud } = await prepared();
    const ran = await pull(place, ...BUCKET, "--prefix", "records/", ...JSON_LOG);
    const of = [...cloud.recordingTasks()].filter(({ keys }) => JSON.stringify(keys).includes("records/"));
    expect([ran.code, [...(await mediaOf(place)).keys()]]).toEqual([0, of.map(({ callId }) => callId)]);
    const times = [...cloud.recordingTasks()].map(({ startedAt }) => startedAt.getTime()).toSorted((a, b) => a - b);
    const until = new Date((times[0] ?? 0) + 3_600_000).toISOString();
    const early = await pull(place, ...BUCKET, "--until", until, "--archive", "early.db", ...JSON_LOG);
    expect([early.code, Number(summaryOf(early).added) > 0]).toEqual([0, true]);
    expect(summaryOf(early).added).toBeLessThan(Number(summaryOf(await pull(place, ...BUCKET, ...JSON_LOG)).found));
  });

  test("by task: the same files as by bucket; VOD with --call", async () => {
    const { place, cloud } = await prepared();
    const tasks = [...cloud.recordingTasks()];
    const inBucket = tasks.filter(({ vodIds }) => vodIds.length === 0).map(({ taskId }) => taskId);
    expect((await pull(place, ...inBucket, ...BUCKET)).code).toBe(0);
    expect((await place.runHere(["pull", "--agent", cloud.agents[0] ?? "", ...WEEK, "--archive", "b.db"])).code).toBe(
      0,
    );
    expect((await pull(place, ...BUCKET, "--archive", "b.db")).code).toBe(0);
    expect([await exported(place), stored(place)]).toEqual([
      await exported(place, "--archive", "b.db"),
      stored(place, "b.db"),
    ]);
    const vod = tasks.find(({ vodIds }) => vodIds.length > 0);
    const unnamed = await pull(place, vod?.taskId ?? "", ...JSON_LOG);
    expect([unnamed.code, summaryOf(unnamed)]).toEqual([0, expect.objectContaining({ downloaded: 1, unmatched: 1 })]);
    expect((await pull(place, vod?.taskId ?? "")).stderr).toContain("name the call with --call");
    const named = await pull(place, vod?.taskId ?? "", "--call", vod?.callId ?? "", ...JSON_LOG);
    expect([named.code, summaryOf(named)]).toEqual([0, expect.objectContaining({ downloaded: 0, unmatched: 0 })]);
    expect([...(await mediaOf(place)).keys()]).toContain(vod?.callId);
  });

  test("--no-media notes, --media-only downloads: the same bytes as both at once", async () => {
    const { place, cloud } = await prepared();
    const noted = await pull(place, ...BUCKET, "--no-media", ...JSON_LOG);
    expect([noted.code, stored(place), (await mediaOf(place)).size]).toEqual([0, [], 0]);
    const { added } = summaryOf(noted);
    expect(summaryOf(noted)).toMatchObject({ downloaded: 0, waiting: added, unmatched: 0 });
    const listings = cloud.stats.requests.download ?? 0;
    const ran = await pull(place, "--media-only", ...JSON_LOG);
    expect([ran.code, summaryOf(ran)]).toEqual([
      0,
      expect.objectContaining({ found: 0, downloaded: added, waiting: 0 }),
    ]);
    expect((cloud.stats.requests.download ?? 0) - listings).toBe(added);
    await pullCalls(place, cloud, "--archive", "b.db");
    expect((await pull(place, ...BUCKET, "--archive", "b.db")).code).toBe(0);
    expect([await exported(place), stored(place)]).toEqual([
      await exported(place, "--archive", "b.db"),
      stored(place, "b.db"),
    ]);
  });

  test("files without their call wait for it; a later run finds it", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 12, agents: 1, recordings: 6 });
    const ran = await pull(place, ...BUCKET);
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("no call with that channel and time")]);
    expect((await transcripts(place, "--allow-empty")).length).toBe(0);
    await pullCalls(place, cloud);
    const again = await pull(place, "--media-only", ...JSON_LOG);
    expect([again.code, summaryOf(again)]).toEqual([0, expect.objectContaining({ unmatched: 0, downloaded: 0 })]);
    expect([...(await mediaOf(place)).keys()].toSorted()).toEqual(recordedIds(cloud));
  });

  test("a channel of two calls: the one that began last before the file was written; phone calls are not recordable", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, agents: 1 });
    const channel = { RuntimeConfig: { ChannelId: "room_1" } };
    const at = (text: string): Date => new Date(`2025-07-15T${text}:00Z`);
    const one = cloud.add({ start: at("08:00"), instance: channel });
    const two = cloud.add({ start: at("09:00"), instance: { RuntimeConfig: { VoiceChat: { ChannelId: "room_1" } } } });
    const phone = { CallStartTime: at("08:30").toISOString(), CallerNumber: "1", CalleeNumber: "2" };
    const third = cloud.add({ start: at("08:30"), instance: { CallInfo: phone, RuntimeConfig: {} } });
    for (const start of ["08:01", "09:01"])
      cloud.addRecording({ channelId: "room_1", start: at(start), bucket: "mine", formats: ["mp3", "hls"] });
    cloud.addRecording({ channelId: "room_2", start: at("09:00"), bucket: "mine" });
    expect((await place.runHere(["pull", one, two, third])).code).toBe(0);
    const ran = await pull(place, "--bucket", "mine", ...JSON_LOG);
    expect([ran.code, summaryOf(ran)]).toEqual([
      0,
      expect.objectContaining({ unmatched: 1, calls: { recorded: 2, notRecordable: 1, unrecorded: 0 } }),
    ]);
    const media = await mediaOf(place);
    expect([...media.keys()].toSorted()).toEqual([one, two].toSorted());
    expect(media.get(one)?.map(({ sha256 }) => sha256)).not.toEqual(media.get(two)?.map(({ sha256 }) => sha256));
    expect(media.get(one)).toHaveLength(media.get(two)?.length ?? 0);
  });

  test("the same content twice is stored once, and is media of both calls", async () => {
    const { place, cloud } = await prepared({ recordings: 2 });
    const [one, two] = [...cloud.recordingTasks()];
    for (const task of [one, two])
      cloud.putObject({
        bucket: "twins",
        key: `t/app_${task?.channelId}_u.mp3`,
        body: file("the same"),
        modifiedAt: new Date((task?.startedAt.getTime() ?? 0) + 30_000),
      });
    expect((await pull(place, "--bucket", "twins")).code).toBe(0);
    const media = await mediaOf(place);
    expect([[...media.keys()].toSorted(), stored(place).length]).toEqual([[one?.callId, two?.callId].toSorted(), 1]);
  });

  test("the segments of a recording follow each other as they play", async () => {
    const { place, cloud } = await prepared({ recordings: 1 });
    const [task] = [...cloud.recordingTasks()];
    const modifiedAt = new Date((task?.startedAt.getTime() ?? 0) + 30_000);
    const stem = `t/app_${task?.channelId}_u`;
    const names = Array.from({ length: 12 }, (_, at) => `app_${task?.channelId}_u_${at}.ts`);
    for (const [at, name] of names.entries())
      cloud.putObject({ bucket: "mine", key: `t/${name}`, body: `\x47${at}`, modifiedAt });
    cloud.putObject({ bucket: "mine", key: `${stem}.m3u8`, body: ["#EXTM3U", ...names].join("\n"), modifiedAt });
    expect((await pull(place, "--bucket", "mine")).code).toBe(0);
    const media = (await mediaOf(place)).get(task?.callId ?? "") ?? [];
    const content = ({ path }: MediaFile): string =>
      readFileSync(place.path("callarchive.db.media", path.slice("media/".length)), "latin1");
    expect(media.map(content).slice(1)).toEqual(names.map((_, at) => `G${at}`));
  });

  test("media never make a revision", async () => {
    const { place } = await prepared();
    const deliver = () => place.runHere(["export", "--offline", "--new", "-o", "out/", ...JSON_LOG]);
    expect((await deliver()).code).toBe(0);
    expect((await pull(place, ...BUCKET)).code).toBe(0);
    const names = readdirSync(place.path("out"));
    expect((await deliver()).code).toBe(0);
    expect(readdirSync(place.path("out"))).toEqual(names);
  });
});

describe("erasure", () => {
  test("recordings of a forgotten call do not come back, whether they were known when it was forgotten or not", async () => {
    const { place, cloud } = await prepared();
    const [one, two] = [...cloud.recordingTasks()].filter(({ vodIds }) => vodIds.length === 0);
    const vod = [...cloud.recordingTasks()].find(({ vodIds }) => vodIds.length > 0);
    expect((await pull(place, vod?.taskId ?? "", "--call", vod?.callId ?? "")).code).toBe(0);
    expect((await place.runHere(["forget", two?.callId ?? ""])).code).toBe(0);
    expect((await pull(place, ...BUCKET)).code).toBe(0);
    expect((await mediaOf(place)).has(one?.callId ?? "")).toBe(true);
    expect((await place.runHere(["forget", one?.callId ?? "", vod?.callId ?? ""])).code).toBe(0);
    const ran = await pull(place, ...BUCKET, ...JSON_LOG);
    expect([ran.code, summaryOf(ran)]).toEqual([
      0,
      expect.objectContaining({ downloaded: 0, matched: 0, unmatched: 0, waiting: 0 }),
    ]);
    const again = await pull(place, vod?.taskId ?? "", ...JSON_LOG);
    expect([again.code, summaryOf(again)]).toEqual([0, expect.objectContaining({ downloaded: 0, unmatched: 0 })]);
    const named = [...(await mediaOf(place)).keys()];
    for (const task of [one, two, vod]) expect(named).not.toContain(task?.callId);
    expect(named.length).toBe(3);
  });

  test("a file of a forgotten call is not taken for one of an earlier call with the same channel", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, agents: 1 });
    const channel = { RuntimeConfig: { ChannelId: "room_1" } };
    const at = (text: string): Date => new Date(`2025-07-15T${text}:00Z`);
    const one = cloud.add({ start: at("08:00"), instance: channel });
    const two = cloud.add({ start: at("09:00"), instance: channel });
    expect((await place.runHere(["pull", one, two])).code).toBe(0);
    expect((await place.runHere(["forget", two])).code).toBe(0);
    for (const start of ["08:01", "09:01"])
      cloud.addRecording({ channelId: "room_1", start: at(start), bucket: "mine" });
    const ran = await pull(place, "--bucket", "mine", ...JSON_LOG);
    expect([ran.code, summaryOf(ran)]).toEqual([
      0,
      expect.objectContaining({ matched: 1, unmatched: 0, downloaded: 1 }),
    ]);
    expect([(await mediaOf(place)).get(one)?.length, stored(place).length]).toEqual([1, 1]);
  });
});

describe("what is told", () => {
  test.each([
    [[], "Nothing is selected."],
    [["t", "--prefix", "a/"], "--prefix goes with --bucket."],
    [["t", ...BUCKET, "--prefix", "a/"], "not both"],
    [[...BUCKET, "--prefix", "/record"], "write --prefix without it"],
    [["--media-only"], "callarchive.db"],
    [[...BUCKET, "--since", "last"], "last"],
    [["--bucket", "Bad_Bucket"], '"Bad_Bucket" is not the name of a bucket.'],
    [["--bucket", "../etc"], "is not the name of a bucket"],
    [[...BUCKET, "--call", "c"], "--call goes with tasks"],
    [["--media-only", "--no-media"], "exclude each other"],
    [["--media-only", ...BUCKET], "looks for nothing new"],
    [[...BUCKET, "--agent", "a"], "Recordings are found by task, or by bucket and prefix."],
    [[...BUCKET, "--endpoint", "http://127.0.0.1:1"], "Write --oss-endpoint"],
    [["-i", "ids.txt"], 'Name tasks: "pull recordings TASK".'],
    [[...BUCKET, "--max-media-size", "many"], "--max-media-size"],
    [[...BUCKET, "--oss-region", "evil.example.com/"], "is not a region"],
    [["task", "--call", "nosuch"], "The archive has no call nosuch: pull it first."],
  ])("%j is a usage error", async (args, message) => {
    const place = workplace();
    await place.cloud({ calls: 0 });
    const ran = await place.runHere(["pull", "recordings", ...args], { env: { CALLARCHIVE_OSS_ENDPOINT: "" } });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test("what the config file selects does not hinder what the command line selects", async () => {
    const { place, cloud } = await prepared();
    const lines = ["bucket: emulator-recordings", "prefix: records/", "call: nosuch", "since: last", "agent: [other]"];
    writeFileSync(place.path("c.yaml"), `pull:\n${lines.map((line) => `  ${line}\n`).join("")}`);
    const config = ["--config", "c.yaml", ...JSON_LOG];
    const [task] = [...cloud.recordingTasks()];
    const ran = await pull(place, task?.taskId ?? "", "--no-media", ...config);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("The archive has no call nosuch")]);
    const named = await pull(place, task?.taskId ?? "", "--call", task?.callId ?? "", "--no-media", ...config);
    expect([named.code, summaryOf(named)]).toEqual([0, expect.objectContaining({ downloaded: 0 })]);
    expect((await pull(place, "--media-only", ...config)).code).toBe(0);
    expect((await pull(place, ...config)).code).toBe(0);
    expect([...(await mediaOf(place)).keys()].length).toBeGreaterThan(1);
  });

  test("expired tasks, tasks without files, and files without a bucket are told with what to do", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 12, agents: 1, recordings: 3 });
    const [task] = [...cloud.recordingTasks()];
    const expired = await pull(place, task?.taskId ?? "", ...BUCKET, "--error-file", "errors.ndjson");
    expect([expired.code, expired.stderr]).toEqual([3, expect.stringContaining("Name the bucket, to look there.")]);
    expect(expired.stderr).not.toContain("check --bucket");
    expect(place.rows("errors.ndjson")).toMatchObject([{ id: task?.taskId, state: "missing" }]);
    const other = workplace();
    const open = await other.cloud({ calls: 12, agents: 1, recordings: 3, taskDays: ANY_TIME });
    const [first] = [...open.recordingTasks()];
    const noBucket = await pull(other, first?.taskId ?? "");
    expect([noBucket.code, noBucket.stderr]).toEqual([3, expect.stringContaining("add --bucket")]);
    open.putObject({ bucket: "another-bucket", key: "x.mp3", body: file("x") });
    const missing = await pull(other, first?.taskId ?? "", "--bucket", "another-bucket", "--error-file", "e.ndjson");
    expect([missing.code, other.rows("e.ndjson")]).toEqual([
      3,
      expect.arrayContaining([expect.objectContaining({ state: "missing", code: "NoSuchKey" })]),
    ]);
  });

  test("a bucket that is not there, an empty one, one that may not be read", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 12, agents: 1, recordings: 3, deny: ["ListObjects"] });
    const gone = await pull(place, "--bucket", "nosuchbucket");
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining("There is no bucket nosuchbucket")]);
    const list = await pull(place, ...BUCKET);
    expect([list.code, list.stderr]).toEqual([
      4,
      expect.stringMatching(/oss:ListObjects.*"Action":\["oss:ListObjects"\]/s),
    ]);
    const wrong = { ALIBABA_CLOUD_ACCESS_KEY_SECRET: "wrong-secret" };
    const keys = await place.runHere(["pull", "recordings", ...BUCKET], { env: wrong });
    expect([keys.code, keys.stderr.includes("wrong-secret")]).toEqual([4, false]);
    const other = workplace();
    const open = await other.cloud({ calls: 12, agents: 1, recordings: 3, deny: ["GetObject"] });
    const get = await pull(other, ...BUCKET);
    expect([get.code, get.stderr]).toEqual([4, expect.stringMatching(/oss:GetObject.*"Action":\["oss:GetObject"\]/s)]);
    open.putObject({ bucket: "texts", key: "readme.txt", body: "hello" });
    const empty = await pull(other, "--bucket", "texts", "--archive", "empty.db");
    expect([empty.code, empty.stderr]).toEqual([3, expect.stringContaining("check --bucket, --prefix")]);
    expect((await pull(other, "--bucket", "texts", "--archive", "empty.db", "--allow-empty")).code).toBe(0);
    expect(cloud.stats.errors.AccessDenied).toBeGreaterThan(0);
  });

  test("with another bucket's region, what waits is not taken for missing", async () => {
    const { place } = await prepared();
    const { added } = summaryOf(await pull(place, ...BUCKET, "--no-media", ...JSON_LOG));
    const elsewhere = await place.cloud({ calls: 0 });
    const lost = await place.runHere(["pull", "recordings", "--media-only", ...JSON_LOG]);
    expect([lost.code, summaryOf(lost)]).toEqual([
      3,
      expect.objectContaining({ missing: 0, failed: added, waiting: added }),
    ]);
    await elsewhere.close();
  });
});

describe("what a file may be", () => {
  test("too large: failed until the limit is raised; a page with status 200 is no media", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0 });
    cloud.putObject({ bucket: "mine", key: "big.mp3", bytes: 3 * MEGABYTE });
    cloud.putObject({ bucket: "mine", key: "page.mp4", body: "<!doctype html><title>Sign in</title>" });
    cloud.putObject({ bucket: "mine", key: "empty.mp4", body: "" });
    const flags = ["--bucket", "mine", "--error-file", "errors.ndjson"];
    const ran = await pull(place, ...flags, "--max-media-size", "2MB", ...JSON_LOG);
    expect([ran.code, summaryOf(ran)]).toEqual([3, expect.objectContaining({ found: 2, failed: 2, downloaded: 0 })]);
    const codes = place.rows("errors.ndjson").map(({ id, code }) => `${id} ${code}`);
    expect(codes.toSorted()).toEqual(["oss://mine/big.mp3 TooLarge", "oss://mine/page.mp4 NotMedia"]);
    expect([stored(place), parts(place)]).toEqual([[], []]);
    const next = await pull(place, "--media-only", ...JSON_LOG);
    expect([next.code, summaryOf(next)]).toEqual([3, expect.objectContaining({ downloaded: 1, failed: 1 })]);
    expect([stored(place).length, parts(place)]).toEqual([1, []]);
    // What cannot be had is not asked for again, unless it is wished.
    const asked = cloud.stats.requests.download ?? 0;
    expect((await pull(place, "--bucket", "mine")).code).toBe(0);
    expect(cloud.stats.requests.download).toBe(asked + 1);
  });

  test("keys are never paths, and a playlist leads nowhere else", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0 });
    const inner = "a/../../../etc/x\u0007\n%2e%2e/é 好#?.mp3";
    cloud.putObject({ bucket: "mine", key: inner, body: file("inner") });
    cloud.putObject({ bucket: "mine", key: "p/outside.ts", body: "\x47outside" });
    const list = [
      "#EXTM3U",
      "https://evil.example.com/x.ts",
      "//evil.example.com/y.ts",
      "../../../etc/passwd",
      "gone.ts",
    ];
    cloud.putObject({
      bucket: "mine",
      key: "p/list.m3u8",
      body: [...list, "outside.ts?Signature=SECRET"].join("\r\n"),
    });
    cloud.putObject({ bucket: "mine", key: "p/none.m3u8", body: "<html>" });
    const ran = await pull(place, "--bucket", "mine", "--error-file", "errors.ndjson");
    const rows = place.rows("errors.ndjson").map(({ id, code }) => `${id} ${code}`);
    expect([ran.code, rows.toSorted()]).toEqual([
      3,
      [
        "oss://mine/etc/passwd NoSuchKey",
        "oss://mine/p/gone.ts NoSuchKey",
        "oss://mine/p/none.m3u8 NotAPlaylist",
        "oss://mine/p/none.m3u8 NotMedia",
      ],
    ]);
    expect(stored(place)).toHaveLength(3);
    expect([ran.stderr.includes("\u0007"), ran.stderr.includes("SECRET")]).toEqual([false, false]);
    for (const name of readdirSync(place.folder, { recursive: true }).map(String))
      expect(name).toMatch(/^callarchive\.db|^errors\.ndjson$/);
  });

  test("an address of VOD on a host that is not allowed is not asked", async () => {
    const { place, cloud } = await prepared();
    const server = createServer((request, response) => {
      request.resume();
      const FileURL = "https://evil.example.com/a.mp4?Signature=SECRET";
      response.end(JSON.stringify({ RequestId: "r", Mezzanine: { FileURL } }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const vod = [...cloud.recordingTasks()].find(({ vodIds }) => vodIds.length > 0);
    const env = { CALLARCHIVE_VOD_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    const ran = await place.runHere(["pull", "recordings", vod?.taskId ?? ""], { env });
    server.close();
    expect([ran.code, ran.stderr]).toEqual([
      3,
      expect.stringContaining("evil.example.com is not a host of Alibaba Cloud"),
    ]);
    expect([ran.stderr.includes("SECRET"), stored(place)]).toEqual([false, []]);
  });
});

/** The most memory that a process has had, in bytes, as far as it was seen. */
const peakOf = (child: ChildProcess) => {
  let peak = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      peak = Math.max(peak, Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      clearInterval(look);
    }
  }, 100);
  child.once("exit", () => clearInterval(look));
  return () => peak;
};

test.runIf(SOAK && process.platform === "linux")(
  "3 GB over a link that breaks five times arrive whole, in less than 150 MB of memory",
  async () => {
    const place = workplace();
    const starts: number[] = [];
    const cloud = await place.cloud({
      calls: 0,
      faults: { breaks: 5, breakAfter: 500 * MEGABYTE },
      log: (line) => void (line.includes("large") && starts.push(Number(/bytes (\d+)-/.exec(line)?.[1] ?? 0))),
    });
    const bytes = 3 * 1024 * MEGABYTE + 1;
    cloud.putObject({ bucket: "mine", key: "large.mp4", bytes });
    let peak = (): number => 0;
    const ran = await place.run(["pull", "recordings", "--bucket", "mine", ...JSON_LOG], {
      started: (child) => {
        peak = peakOf(child);
      },
    });
    expect([ran.code, summaryOf(ran)]).toEqual([0, expect.objectContaining({ downloaded: 1, bytes })]);
    const [name = ""] = stored(place);
    expect(statSync(place.path("callarchive.db.media", name)).size).toBe(bytes);
    expect(starts).toHaveLength(6);
    for (const [at, start] of starts.entries()) expect(start).toBeGreaterThan(at * 490 * MEGABYTE - 1);
    console.log(`3 GB: at most ${Math.round(peak() / MEGABYTE)} MB`);
    expect(peak()).toBeGreaterThan(30 * MEGABYTE);
    expect(peak()).toBeLessThan(150 * MEGABYTE);
  },
  600_000,
);

describe("when it is interrupted", () => {
  const interrupted = async (bytes: number) => {
    const place = workplace();
    const lines: string[] = [];
    let onLine = (_: string): unknown => undefined;
    const cloud = await place.cloud({
      calls: 0,
      log: (line) => {
        lines.push(line);
        onLine(line);
      },
    });
    cloud.putObject({ bucket: "mine", key: "large.mp4", bytes });
    const objects = (): string[] => lines.filter((line) => line.includes("large.mp4"));
    const listen = (each: typeof onLine): void => {
      onLine = each;
    };
    return { place, cloud, objects, listen };
  };

  test("a download goes on where it ended, in the next run, and in the next process after kill -9", async () => {
    const { place, cloud, objects, listen } = await interrupted(40 * MEGABYTE);
    cloud.faults = { breaks: 1, breakAfter: 10 * MEGABYTE };
    listen((line) => {
      if (line.includes("(cut off)")) cloud.faults = { down: 1 };
    });
    const first = await pull(place, "--bucket", "mine", "--retries", "0", ...JSON_LOG);
    expect([first.code, summaryOf(first)]).toEqual([3, expect.objectContaining({ failed: 1, waiting: 1 })]);
    expect([stored(place), parts(place).length]).toEqual([[], 2]);
    cloud.faults = { breaks: 1, breakAfter: 10 * MEGABYTE };
    const killed = await place.run(["pull", "recordings", "--media-only"], {
      started: (child) => listen((line) => line.includes("(cut off)") && child.kill("SIGKILL")),
    });
    expect([killed.code, stored(place)]).toEqual([null, []]);
    listen(() => undefined);
    const last = await place.run(["pull", "recordings", "--media-only", ...JSON_LOG]);
    expect([last.code, summaryOf(last)]).toEqual([0, expect.objectContaining({ downloaded: 1, bytes: 40 * MEGABYTE })]);
    expect([stored(place).length, parts(place)]).toEqual([1, []]);
    // Each attempt asked for what the one before had not brought.
    const starts = objects()
      .filter((line) => line.includes(" 20"))
      .map((line) => Number(/bytes (\d+)-/.exec(line)?.[1] ?? 0));
    expect([starts.length, starts[0]]).toEqual([3, 0]);
    for (const [at, start] of starts.entries()) {
      if (at === 0) continue;
      expect(start).toBeGreaterThan((starts[at - 1] ?? 0) + 8 * MEGABYTE);
    }
  });

  test("SIGTERM leaves a part, which the next run continues", async () => {
    const { place, cloud, objects, listen } = await interrupted(20 * MEGABYTE);
    cloud.faults = { breaks: 1, breakAfter: 10 * MEGABYTE };
    const stopped = await place.run(["pull", "recordings", "--bucket", "mine"], {
      started: (child) => listen((line) => line.includes("(cut off)") && child.kill("SIGTERM")),
    });
    expect([stopped.code, stored(place), parts(place).length]).toEqual([143, [], 2]);
    listen(() => undefined);
    expect((await pull(place, "--bucket", "mine")).code).toBe(0);
    expect(objects().at(-1)).toMatch(/ 206 bytes \d{7,}-/);
    expect([stored(place).length, parts(place)]).toEqual([1, []]);
  });

  test("errors, resets and downloads that end early give the same files", async () => {
    const { place, cloud } = await prepared();
    cloud.faults = { error: 0.15, reset: 0.1, cut: 0.15, throttle: 0.1 };
    let code: number | null = 3;
    for (let run = 0; code !== 0 && run < 8; run += 1) code = (await pull(place, ...BUCKET)).code;
    cloud.faults = {};
    expect(code).toBe(0);
    await pullCalls(place, cloud, "--archive", "b.db");
    expect((await pull(place, ...BUCKET, "--archive", "b.db")).code).toBe(0);
    expect([await exported(place), stored(place), parts(place)]).toEqual([
      await exported(place, "--archive", "b.db"),
      stored(place, "b.db"),
      [],
    ]);
  }, 120_000);

  test("kill -9, a full disk and a broken one at each commit, flush and rename in turn", async () => {
    const { place, cloud } = await prepared({ calls: 6, recordings: SOAK ? 4 : 2 });
    const archive = (name: string) => ["--archive", name];
    const args = ["pull", "recordings", ...BUCKET, "--concurrency", "1", "-q"];
    const copy = async (name: string): Promise<void> => pullCalls(place, cloud, ...archive(name));
    await copy("whole.db");
    const log = { FAULTY_LOG: place.path("points") };
    expect((await place.run([...args, ...archive("whole.db")], { env: faulty(log) })).code).toBe(0);
    const whole = [await exported(place, ...archive("whole.db")), stored(place, "whole.db")];
    const points = place.read("points").trim().split("\n");
    expect(new Set(points)).toEqual(new Set(["commit", "sync", "rename"]));
    const hows = ["kill", "ENOSPC", "kill-after", "EIO"];
    let tried = 0;
    let failed = 0;
    for (let at = 1; at <= points.length; at += SOAK ? 1 : 17) {
      tried += 1;
      const name = `${at}.db`;
      await copy(name);
      const how = hows[at % 4] ?? "";
      const env = faulty({ FAULTY_AT: String(at), FAULTY_HOW: how });
      const ran = await place.run([...args, ...archive(name)], { env });
      if (ran.code !== 0) failed += 1;
      if (how === "ENOSPC" && ran.code !== 0)
        expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(/ENOSPC/)]);
      const again = await place.runHere([...args, ...archive(name)]);
      expect({ at, how, code: again.code, stderr: again.stderr }).toEqual({ at, how, code: 0, stderr: "" });
      expect([await exported(place, ...archive(name)), stored(place, name), parts(place, name)]).toEqual([
        ...whole,
        [],
      ]);
      expect((await place.runHere(["verify", ...archive(name)])).code).toBe(0);
    }
    expect(failed).toBeGreaterThan(tried / 2);
  }, 600_000);
});
