import { expect } from "vitest";
import type { Arrival } from "../../../src/core/records.ts";
import { type Clauses, choose, collect, fetched } from "./contract.ts";

const T0 = Date.parse("2025-07-14T00:00:00Z");
const dayAfter = (): Date => new Date(T0 + 86_400_000);
const SHA = "ab".repeat(32);
const OTHER = "cd".repeat(32);

const sentence = (call: string, id: string, ...named: string[]): Arrival => ({
  source: "calls",
  conversation: call,
  record: {
    source: "callbacks",
    id: `${call}/${id}`,
    at: new Date(T0),
    data: { call, id },
    media: named.map((place) => ({ kind: "sentence", place })),
  },
});

export const media = {
  "that records name wait until they are stored, and are with their conversation": async ({ open }) => {
    const archive = await open(dayAfter);
    await archive.addRecords([
      sentence("a", "1", "oss://b/1.wav", "oss://b/2.wav"),
      sentence("b", "1", "oss://b/1.wav"),
    ]);
    await archive.addRecords([sentence("a", "1", "oss://b/1.wav", "oss://b/2.wav")]);
    const waiting = await archive.listMedia({ states: ["pending"] });
    expect(waiting).toMatchObject([
      { place: "oss://b/1.wav", kind: "sentence", record: { source: "callbacks", id: "a/1" }, attempts: 0 },
      { place: "oss://b/2.wav" },
      { place: "oss://b/1.wav", record: { id: "b/1" } },
    ]);
    expect(await archive.listMedia({ after: waiting[0]?.media ?? 0, limit: 1 })).toEqual([waiting[1]]);
    expect(await archive.listMedia({ kinds: ["recording"] })).toEqual([]);
    const [first, second] = waiting.map(({ media: number }) => number) as [number, number];
    const error = { code: "NoSuchKey", message: "There is none." };
    await archive.commitMedia([
      { media: first, state: "stored", sha256: SHA, bytes: 7, type: "audio/wav", seconds: 0.5 },
      { media: second, state: "missing", error },
    ]);
    // A stored file stays stored.
    await archive.commitMedia([{ media: first, state: "failed", error }]);
    const [a] = await collect(archive.list({ id: "a" }, { documents: true }));
    expect(a?.media).toMatchObject([
      { place: "oss://b/1.wav", state: "stored", sha256: SHA, bytes: 7, type: "audio/wav", seconds: 0.5 },
      { place: "oss://b/2.wav", state: "missing", attempts: 1, error: { code: "NoSuchKey" } },
    ]);
    expect(await archive.mediaSummary()).toMatchObject([
      { state: "missing", files: 1 },
      { state: "pending", kind: "sentence", files: 1, oldest: new Date(T0) },
      { state: "stored", files: 1, bytes: 7 },
    ]);
  },

  "that no record names are found by place; what was not known of them is added": async ({ open }) => {
    const archive = await open(dayAfter);
    const { item } = await choose(archive, "a");
    await archive.commit([fetched(item, "{}", { startedAt: new Date(T0).toISOString() })]);
    const at = new Date(T0);
    const found = { kind: "recording", place: "oss://b/r.mp4", channel: "c", at } as const;
    expect(await archive.addMedia([found, { ...found, place: "oss://b/s.mp4" }])).toBe(2);
    expect(await archive.listMedia({ unmatched: true })).toHaveLength(2);
    expect(await archive.addMedia([{ ...found, item, playlist: "oss://b/r.m3u8" }])).toBe(0);
    expect(await archive.listMedia({ unmatched: true })).toMatchObject([{ place: "oss://b/s.mp4" }]);
    const [call] = await collect(archive.list({ id: "a" }, { documents: true }));
    expect(call?.media).toMatchObject([{ ...found, playlist: "oss://b/r.m3u8", state: "pending" }]);
  },

  "are deleted with their conversation; only bytes that no other one has are to be deleted": async ({ open }) => {
    const archive = await open(dayAfter);
    await archive.addRecords([sentence("a", "1", "oss://b/1", "oss://b/2"), sentence("b", "1", "oss://b/3")]);
    const [one, two, three] = (await archive.listMedia()).map(({ media: number }) => number) as [
      number,
      number,
      number,
    ];
    await archive.commitMedia([
      { media: one, state: "stored", sha256: SHA, bytes: 7 },
      { media: two, state: "stored", sha256: OTHER, bytes: 8, type: "audio/wav" },
      { media: three, state: "stored", sha256: SHA, bytes: 7 },
    ]);
    await archive.prune({ id: "a" });
    expect(await archive.listMedia()).toMatchObject([{ place: "oss://b/3" }]);
    expect(await archive.discardedMedia()).toEqual([{ sha256: OTHER, type: "audio/wav" }]);
    // A download that ends after its conversation was deleted.
    await archive.commitMedia([{ media: one, state: "stored", sha256: "ef".repeat(32), bytes: 9 }]);
    expect((await archive.discardedMedia()).map(({ sha256 }) => sha256)).toEqual([OTHER, "ef".repeat(32)]);
    await archive.forgetDiscarded([OTHER]);
    expect((await archive.discardedMedia()).map(({ sha256 }) => sha256)).toEqual(["ef".repeat(32)]);
    // Bytes that are needed again are not deleted.
    await archive.commitMedia([{ media: three, state: "stored", sha256: "ef".repeat(32), bytes: 9 }]);
    expect(await archive.discardedMedia()).toEqual([]);
  },

  "of deleted calls are not stored again, whether they were known before or are found by the call's channel": async ({
    open,
  }) => {
    const archive = await open(dayAfter);
    const at = new Date(T0);
    const { item } = await choose(archive, "a");
    await archive.commit([fetched(item, "{}", { startedAt: at.toISOString(), meta: { Channel: "room" } })]);
    const known = { kind: "recording", place: "oss://b/known.mp4", at } as const;
    const late = { ...known, place: "oss://b/late.mp4" };
    await archive.addMedia([{ ...known, item }, late]);
    expect(await archive.forgottenCalls(["room"])).toEqual([]);
    await archive.prune({ id: "a" });
    expect(await archive.addMedia([known])).toBe(0);
    expect(await archive.listMedia()).toMatchObject([{ place: late.place }]);
    expect(await archive.forgottenCalls(["other"])).toEqual([]);
    expect(await archive.forgottenCalls(["other", "room"])).toEqual([
      { item, start: at, end: new Date(T0 + 86_400_000) },
    ]);
    await archive.addMedia([{ ...late, item }]);
    expect(await archive.listMedia()).toEqual([]);
    expect(await archive.addMedia([late])).toBe(0);
  },
} satisfies Clauses;
