import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { JsonObject, Transcript } from "../../src/core/transcript.ts";
import type { EmulatorOptions } from "../../src/emulator/index.ts";
import { callbackArrivals } from "../../src/sources/callbacks.ts";
import { transcripts as ofArchive } from "../helpers/exported.ts";
import { receiver, send } from "../helpers/receiver.ts";
import { SOAK } from "../helpers/soak.ts";
import { summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const SECRET = "a token of callbacks";
const ENV = { CALLARCHIVE_CALLBACK_TOKEN: SECRET };
const JSON_TYPE = { "content-type": "application/json" };

/** A place with calls, and a receiver of their callbacks. */
const prepared = async (options: EmulatorOptions = {}, flags: readonly string[] = []) => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 6, agents: 1, ...options });
  const start = (more: readonly string[] = []) =>
    receiver(place, undefined, ["--oss-endpoint", cloud.url, ...flags, ...more], ENV);
  return { place, cloud, start, ids: [...cloud.ids()] };
};

const transcripts = (place: Workplace): Promise<Transcript[]> => ofArchive(place, "--settle", "0");

const post = (url: string, body: unknown, token = SECRET): Promise<{ status: number }> =>
  send(url, typeof body === "string" ? body : JSON.stringify(body), { ...JSON_TYPE, authorization: token });

/** The files below a folder, as paths relative to it. */
const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [join(entry.parentPath, entry.name).slice(folder.length + 1)] : [],
      )
    : [];

describe("receive takes the callbacks of agents", () => {
  test("late, twice and shuffled: each call is one transcript, whole, with the audio of its sentences", async () => {
    const { place, cloud, start, ids } = await prepared();
    const running = await start();
    const delivered = await cloud.deliverCallbacks({
      ...{ ids, url: running.url, token: SECRET, header: "bearer" },
      ...{ order: "shuffled", repeat: 2, late: true, concurrency: 8 },
    });
    const bodies = ids.flatMap((id) => cloud.callbacks(id));
    expect(delivered.acknowledged.size).toBe(bodies.length);
    // What waits is moved into the archive every few seconds, and its audio is downloaded meanwhile.
    const sentences = bodies.filter(({ event }) => event === "audio_record").length;
    await expect
      .poll(async () => JSON.parse((await place.runHere(["status", "--json"])).stdout).inbox.records, {
        timeout: 20_000,
      })
      .toBe(0);
    const ran = await running.stop();
    expect([ran.code, summaryOf(ran)]).toEqual([0, expect.objectContaining({ refused: 0, waiting: 0 })]);
    const again = await start();
    await expect
      .poll(
        async () =>
          (await transcripts(place)).flatMap(({ media = [] }) => media).filter(({ kind }) => kind === "sentence")
            .length,
        { timeout: 30_000 },
      )
      .toBe(sentences);
    expect((await again.stop()).code).toBe(0);

    const calls = await transcripts(place);
    expect(calls.map(({ id }) => id).toSorted()).toEqual([...ids].toSorted());
    for (const { id, turns, media = [] } of calls) {
      const log = JSON.parse(Buffer.from(cloud.callLog(id) ?? []).toString()) as { dialog: { role: string }[] };
      expect([id, turns.map(({ role }) => role)]).toEqual([id, log.dialog.map(({ role }) => role)]);
      expect(turns.every(({ recordSource }) => recordSource === undefined)).toBe(true);
      for (const { path, sha256, bytes, turn, kind, seconds } of media) {
        const file = readFileSync(place.path("callarchive.db.media", path.slice("media/".length)));
        expect([file.length, path]).toEqual([bytes, `media/${sha256.slice(0, 2)}/${sha256}.wav`]);
        expect(kind === "sentence" ? (turn ?? 0) : 1).toBeGreaterThan(0);
        expect(seconds).toBeGreaterThan(0);
      }
    }
    const folder = place.path("callarchive.db.media");
    expect(filesIn(join(folder, "parts"))).toEqual([]);
    expect((await place.runHere(["verify"])).code).toBe(0);
  }, 120_000);

  test("with call logs and dialogues: one transcript, the same whatever came first, and each turn is learned once", async () => {
    const first = await prepared({ typedChats: 3 }, ["--no-media"]);
    const { cloud, ids } = first;
    const steps: Record<string, (place: Workplace) => Promise<void>> = {
      callbacks: async (place) => {
        const running = await receiver(place, undefined, ["--no-media"], ENV);
        await cloud.deliverCallbacks({ ids, url: running.url, token: SECRET, order: "shuffled", repeat: 2 });
        expect((await running.stop()).code).toBe(0);
      },
      logs: async (place) => expect((await place.runHere(["pull", ...ids])).code).toBe(0),
      dialogues: async (place) => {
        const sessions = [...cloud.sessionIds()].flatMap((session) => ["--session", session]);
        expect((await place.runHere(["pull", "dialogues", ...sessions])).code).toBe(0);
      },
    };
    const orders = [
      ["callbacks", "logs", "dialogues"],
      ["dialogues", "callbacks", "logs"],
      ["logs", "dialogues", "callbacks"],
    ];
    const made: { ndjson: string; learned: string; calls: Transcript[] }[] = [];
    for (const order of orders) {
      const place = workplace();
      place.emulator = cloud;
      for (const step of order) await steps[step]?.(place);
      const calls = (await transcripts(place)).filter(({ source }) => source === "calls");
      const data = ["export", "--offline", "--settle", "0", "--source", "calls", "-f", "messages", "-o", "learn.jsonl"];
      expect((await place.runHere(data)).code).toBe(0);
      made.push({ ndjson: hash("sha256", JSON.stringify(calls)), learned: place.read("learn.jsonl"), calls });
    }
    expect(new Set(made.map(({ ndjson }) => ndjson)).size).toBe(1);
    for (const { turns, provenance } of made[0]?.calls ?? []) {
      expect(turns.filter(({ recordSource }) => recordSource !== undefined)).toEqual([]);
      expect([...new Set(provenance.records.map(({ source }) => source))]).toEqual(["calls", "callbacks", "dialogues"]);
    }
    const alone = workplace();
    alone.emulator = cloud;
    await steps.logs?.(alone);
    expect((await alone.runHere(["export", "--offline", "-f", "messages", "-o", "learn.jsonl"])).code).toBe(0);
    for (const { learned } of made) expect(learned).toBe(alone.read("learn.jsonl"));
  }, 120_000);

  test("both forms of the token are taken, and nothing else; bodies that are no callbacks are refused", async () => {
    const { cloud, start, ids } = await prepared({}, ["--no-media"]);
    const running = await start();
    const [body] = cloud.callbacks(ids[0] ?? "");
    expect((await post(running.url, body)).status).toBe(200);
    expect((await post(running.url, body, `Bearer ${SECRET}`)).status).toBe(200);
    for (const wrong of ["", "Bearer ", `${SECRET} `.repeat(2), SECRET.slice(1), `Basic ${SECRET}`])
      expect([wrong, (await post(running.url, body, wrong)).status]).toEqual([wrong, 401]);
    for (const [broken, status] of [
      ["{", 400],
      [{}, 400],
      [[], 200],
      ["null", 400],
      [{ event: "agent_start" }, 400],
      [{ ...body, instanceId: { a: 1 } }, 400],
      [{ ...body, instanceId: "\u0000" }, 400],
      ["[".repeat(100_000), 400],
      [{ ...body, data: { text: "x".repeat(1_100_000) } }, 413],
      [{ ...body, dialogues: 7, data: [[[[null]]]] }, 200],
    ] as const)
      expect([String(JSON.stringify(broken)).slice(0, 60), (await post(running.url, broken)).status]).toEqual([
        String(JSON.stringify(broken)).slice(0, 60),
        status,
      ]);
    const origin = new URL(running.url).origin;
    expect((await post(`${origin}/events`, body)).status).toBe(404);
    expect((await send(running.url, "", {}, "GET")).status).toBe(405);
    expect((await send(running.url, "{}", { authorization: SECRET })).status).toBe(415);
    const ran = await running.stop();
    expect([ran.code, ran.stderr.includes(SECRET)]).toEqual([0, false]);
  });

  test("secrets and the signatures of links are nowhere on disk and in no message", async () => {
    const { place, cloud, start, ids } = await prepared();
    const running = await start();
    const id = ids[0] ?? "";
    const [first] = cloud.callbacks(id);
    await post(running.url, {
      ...first,
      data: { AuthToken: "secret-of-the-call", nested: '{"authToken":"secret-of-the-call"}' },
    });
    await cloud.deliverCallbacks({ ids: [id], url: running.url, token: SECRET });
    const ran = await running.stop();
    const all = filesIn(place.folder).map((name) => readFileSync(place.path(name)).toString("latin1"));
    for (const text of [...all, ran.stderr])
      expect(text).not.toMatch(/secret-of-the-call|Signature=|OSSAccessKeyId=|a token of callbacks/);
  });

  test("forget deletes the call with its audio, and what comes later of it is dropped", async () => {
    const { place, cloud, start, ids } = await prepared();
    const running = await start();
    const id = ids[0] ?? "";
    await cloud.deliverCallbacks({ ids: [id], url: running.url, token: SECRET });
    await expect
      .poll(async () => (await transcripts(place))[0]?.media?.length ?? 0, { timeout: 30_000 })
      .toBeGreaterThan(0);
    await running.stop();
    const folder = place.path("callarchive.db.media");
    expect(filesIn(folder).length).toBeGreaterThan(0);
    expect((await place.runHere(["forget", id])).code).toBe(0);
    expect(filesIn(folder)).toEqual([]);
    const again = await start();
    await cloud.deliverCallbacks({ ids: [id], url: again.url, token: SECRET });
    await again.stop();
    expect(await transcripts(place)).toEqual([]);
    expect((await place.runHere(["verify"])).code).toBe(0);
  }, 60_000);
});

describe("kill -9 in a flood of callbacks", () => {
  test("loses nothing that was acknowledged and has nothing twice, beside pulls and exports", async () => {
    const seconds = 30;
    const { place, cloud, ids } = await prepared({ calls: SOAK ? 1_500 : 40 });
    const flags = ["--no-media"];
    let running = await receiver(place, undefined, flags, ENV);
    const { port } = new URL(running.url);
    const bodies = ids.flatMap((id) => cloud.callbacks(id));
    const began = performance.now();
    let ended = 0;
    const flood = cloud
      .deliverCallbacks({
        ...{ ids, url: running.url, token: SECRET, header: "bearer", order: "shuffled", repeat: 2, late: true },
        ...{ concurrency: 32, perSecond: SOAK ? 2_000 : 600 },
      })
      .finally(() => {
        ended = performance.now();
      });
    const beside: Promise<unknown>[] = [];
    const commands = [
      ["export", "--offline", "--settle", "0", "-o", "out.ndjson"],
      ["pull", ...ids.slice(0, 20)],
    ];
    for (let kills = 0; kills < (SOAK ? 6 : 2) && ended === 0; kills += 1) {
      await sleep(SOAK ? 4_000 : 700);
      running.child.kill("SIGKILL");
      await running.ended;
      const command = commands[kills % 2] ?? [];
      beside.push(
        place.run([...command, "--wait", "60s"]).then(({ code, stderr }) => [code, code === 0 ? "" : stderr]),
      );
      running = await receiver(place, undefined, [...flags, "--port", port], ENV);
    }
    const delivered = await flood;
    const rate = delivered.deliveries / ((ended - began) / 1000);
    console.log({ rate: Math.round(rate), deliveries: delivered.deliveries, retries: delivered.retries });
    expect([...new Set((await Promise.all(beside)).map((each) => JSON.stringify(each)))]).toEqual(['[0,""]']);
    expect([(await running.stop()).code, delivered.refused]).toEqual([0, {}]);
    expect(delivered.acknowledged.size).toBe(bodies.length);
    if (SOAK) expect(ended - began).toBeGreaterThan((seconds - 5) * 1000);
    expect((await place.runHere(["import"], { input: "" })).code).toBe(0);
    const wanted = new Set(
      bodies.flatMap((body) => callbackArrivals(body as unknown as JsonObject).arrivals.map(({ record }) => record.id)),
    );
    const stored = (await transcripts(place)).flatMap(({ provenance }) =>
      provenance.records.flatMap(({ source, id }) => (source === "callbacks" ? [id] : [])),
    );
    expect(stored.length).toBe(wanted.size);
    expect(stored.toSorted()).toEqual([...wanted].toSorted());
    expect((await place.runHere(["verify"])).code).toBe(0);
  }, 300_000);
});

describe("audio that was not downloaded when the receiver was killed", () => {
  test("is downloaded by the next one, and none is lost", async () => {
    const { place, cloud, start, ids } = await prepared();
    const sentences = (id: string) => cloud.callbacks(id).filter(({ event }) => event === "audio_record").length;
    const id = ids.toSorted((one, other) => sentences(other) - sentences(one))[0] ?? "";
    cloud.faults = { slow: 1 };
    const first = await start();
    await cloud.deliverCallbacks({ ids: [id], url: first.url, token: SECRET });
    first.child.kill("SIGKILL");
    await first.ended;
    cloud.faults = {};
    const second = await start();
    const stored = async () =>
      (await transcripts(place))[0]?.media?.filter(({ kind }) => kind === "sentence").length ?? 0;
    await expect.poll(stored, { timeout: 40_000 }).toBe(sentences(id));
    expect((await second.stop()).code).toBe(0);
    expect(filesIn(place.path("callarchive.db.media", "parts"))).toEqual([]);
    expect((await place.runHere(["verify"])).code).toBe(0);
  }, 90_000);
});
