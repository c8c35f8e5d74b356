import { expect } from "vitest";
import type { Archive } from "../../../src/core/archive.ts";
import { type Clauses, choose, fetched, itemsOf, storeCalls } from "./contract.ts";

const HERE = "/place/a'\"%_;\u{1f600}.csv";

/** Those of these items that the destination has received. */
const received = async (
  archive: Archive,
  place: string,
  format: string,
  items: readonly number[],
): Promise<number[]> => {
  const delivered = await archive.delivered(place, format, items);
  return items.filter((item) => delivered.has(item));
};

/** Delivers items as one part. */
export const deliver = async (
  archive: Archive,
  place: string,
  formats: readonly string[],
  part: number,
  items: readonly number[],
  token?: string,
): Promise<void> => {
  for (const format of formats) await archive.delivering(format, items);
  await archive.prepare(place, formats, part, token);
  await archive.confirm(place, part);
};

export const deliveries = {
  "a destination has received what was delivered to its place in its format, and nothing else": async ({ open }) => {
    const archive = await open();
    const items = await storeCalls(archive, ["a", "b", "c", "d", "e", "f"]);
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = items;
    await deliver(archive, HERE, ["csv"], 1, [d, a, b]);
    await deliver(archive, HERE, ["csv"], 2, [f]);
    await deliver(archive, HERE, ["ndjson"], 3, [c]);
    const other = await open();
    expect(await received(other, HERE, "csv", items)).toEqual([a, b, d, f]);
    expect(await received(other, HERE, "ndjson", items)).toEqual([c]);
    expect(await received(other, HERE.toUpperCase(), "csv", items)).toEqual([]);
    expect(await received(other, `${HERE}/`, "csv", items)).toEqual([]);
    expect(await received(other, HERE, "csv", [e, e + 1000])).toEqual([]);
  },

  "a part of --new counts from when it is prepared, a plain export from when it is confirmed": async ({ open }) => {
    const archive = await open();
    const items = await storeCalls(archive, ["a", "b"]);
    const [a = 0, b = 0] = items;
    await archive.delivering("csv", [a]);
    expect(await received(archive, HERE, "csv", items)).toEqual([]);
    await archive.prepare(HERE, ["csv"], 1);
    expect(await received(archive, HERE, "csv", items)).toEqual([a]);
    await archive.confirm(HERE, 1);
    await archive.delivering("csv", [b]);
    await archive.prepare(HERE, ["csv"], 0);
    expect(await received(archive, HERE, "csv", items)).toEqual([a]);
    await archive.confirm(HERE, 0);
    expect(await received(archive, HERE, "csv", items)).toEqual([b]);
  },

  "a plain export replaces the record of its place in all formats": async ({ open }) => {
    const archive = await open();
    const items = await storeCalls(archive, ["a", "b", "c"]);
    const [a = 0, b = 0, c = 0] = items;
    await deliver(archive, HERE, ["csv", "ndjson"], 1, [a]);
    await deliver(archive, HERE, ["csv"], 2, [b]);
    await deliver(archive, "/other", ["csv"], 1, [a]);
    await deliver(archive, HERE, ["csv"], 0, [c]);
    expect(await received(archive, HERE, "csv", items)).toEqual([c]);
    expect(await received(archive, HERE, "ndjson", items)).toEqual([]);
    expect(await archive.parts(HERE)).toEqual([{ part: 0, prepared: false }]);
    expect(await received(archive, "/other", "csv", items)).toEqual([a]);
  },

  "a plain export that was killed is replaced by the next one, also in other formats": async ({ open }) => {
    const killed = await open();
    const [a = 0, b = 0] = await storeCalls(killed, ["a", "b"]);
    await killed.delivering("csv", [a]);
    await killed.prepare(HERE, ["csv"], 0);
    await killed.close();
    const archive = await open();
    expect(await archive.lastPart(HERE)).toEqual({ part: 0, prepared: true });
    await deliver(archive, HERE, ["ndjson"], 0, [b]);
    expect(await archive.parts(HERE)).toEqual([{ part: 0, prepared: false }]);
    expect(await received(archive, HERE, "csv", [a, b])).toEqual([]);
    expect(await received(archive, HERE, "ndjson", [a, b])).toEqual([b]);
  },

  "items that were noted count once: a confirmed part leaves none for the next": async ({ open }) => {
    const archive = await open();
    const items = await storeCalls(archive, ["a", "b", "c"]);
    const [a = 0, b = 0] = items;
    await archive.delivering("csv", [a]);
    // Notes are those of a connection.
    const other = await open();
    await deliver(other, "/other", ["csv"], 1, [b]);
    expect(await received(other, "/other", "csv", items)).toEqual([b]);
    await archive.prepare(HERE, ["csv"], 1);
    await archive.confirm(HERE, 1);
    await deliver(archive, "/third", ["csv"], 1, [b]);
    expect(await received(archive, "/third", "csv", items)).toEqual([b]);
  },

  "a withdrawn part was never delivered; other parts stay": async ({ open }) => {
    const archive = await open();
    const items = await storeCalls(archive, ["a", "b"]);
    const [a = 0, b = 0] = items;
    await deliver(archive, HERE, ["csv"], 1, [a], "t1");
    await archive.delivering("csv", [b]);
    await archive.prepare(HERE, ["csv"], 2, "t2");
    await archive.withdraw(HERE, 2);
    expect(await received(archive, HERE, "csv", items)).toEqual([a]);
    expect(await archive.parts(HERE)).toEqual([{ part: 1, prepared: false, token: "t1" }]);
    await archive.withdraw("/unknown", 1);
    expect(await received(archive, HERE, "csv", items)).toEqual([a]);
  },

  "parts and the last part of a place are told, over all formats or of one": async ({ open }) => {
    const archive = await open();
    const [a = 0] = await storeCalls(archive, ["a"]);
    expect(await archive.lastPart(HERE)).toBeUndefined();
    expect(await archive.parts(HERE)).toEqual([]);
    await deliver(archive, HERE, ["csv"], 1, [a], "t1");
    await deliver(archive, HERE, ["ndjson"], 10, [a], "t10");
    await archive.prepare(HERE, ["ndjson", "csv"], 9, "t9");
    await archive.prepare(HERE, ["html"], 11);
    expect(await archive.parts(HERE)).toEqual([
      { part: 1, prepared: false, token: "t1" },
      { part: 9, prepared: true, token: "t9" },
      { part: 10, prepared: false, token: "t10" },
      { part: 11, prepared: true },
    ]);
    expect(await archive.lastPart(HERE)).toEqual({ part: 11, prepared: true });
    expect(await archive.lastPart(HERE, "ndjson")).toEqual({ part: 10, prepared: false });
    expect(await archive.lastPart(HERE, "csv")).toEqual({ part: 9, prepared: true });
    expect(await archive.lastPart(HERE, "parquet")).toBeUndefined();
    expect(await archive.lastPart("/unknown")).toBeUndefined();
  },

  "a confirmed part is no longer prepared, in all its formats and only at its place": async ({ open }) => {
    const archive = await open();
    for (const place of [HERE, "/other"]) await archive.prepare(place, ["csv", "ndjson"], 1, "t");
    await archive.confirm(HERE, 1);
    expect(await archive.parts(HERE)).toEqual([{ part: 1, prepared: false, token: "t" }]);
    expect(await archive.lastPart(HERE, "ndjson")).toEqual({ part: 1, prepared: false });
    expect(await archive.parts("/other")).toEqual([{ part: 1, prepared: true, token: "t" }]);
  },

  "tokens of parts are set, and lead to a place that has all of them": async ({ open }) => {
    const archive = await open();
    const [a = 0] = await storeCalls(archive, ["a"]);
    for (const place of ["/one", "/two"])
      for (const part of [1, 2]) await deliver(archive, place, ["csv", "ndjson"], part, [a]);
    await archive.setTokens("/one", [
      { part: 1, token: "t1" },
      { part: 2, token: "t2'%" },
      { part: 7, token: "t7" },
    ]);
    expect(await archive.parts("/one")).toEqual([
      { part: 1, prepared: false, token: "t1" },
      { part: 2, prepared: false, token: "t2'%" },
    ]);
    expect((await archive.parts("/two"))[0]).toEqual({ part: 1, prepared: false });
    expect(await archive.placeOf(["t1", "t2'%", "t1"], "/two")).toBe("/one");
    expect(await archive.placeOf(["t1"], "/two")).toBe("/one");
    expect(await archive.placeOf(["t1"], "/one")).toBeUndefined();
    expect(await archive.placeOf(["t1", "t3"], "/two")).toBeUndefined();
    // A manifest is not trusted: its tokens may be any text.
    for (const token of ["%", "T1", "t1\u0000", "\ud800", ""])
      expect(await archive.placeOf([token], "/two")).toBeUndefined();
  },

  "parts are copied to another place by their tokens, and the old place keeps them": async ({ open }) => {
    const archive = await open();
    const items = await storeCalls(archive, ["a", "b", "c"]);
    const [a = 0, b = 0, c = 0] = items;
    await deliver(archive, "/from", ["csv"], 1, [a], "t1");
    await deliver(archive, "/from", ["csv", "ndjson"], 2, [b], "t2");
    await deliver(archive, "/from", ["csv"], 3, [c], "t3");
    for (let twice = 0; twice < 2; twice += 1) await archive.copyParts("/from", "/to", ["t1", "t2", "unknown"]);
    expect(await received(archive, "/to", "csv", items)).toEqual([a, b]);
    expect(await received(archive, "/to", "ndjson", items)).toEqual([b]);
    expect(await archive.parts("/to")).toEqual([
      { part: 1, prepared: false, token: "t1" },
      { part: 2, prepared: false, token: "t2" },
    ]);
    expect(await received(archive, "/from", "csv", items)).toEqual([a, b, c]);
    expect(await archive.parts("/from")).toHaveLength(3);
  },

  "every place and format that received a call is told, by any of its ids": async ({ open }) => {
    const archive = await open();
    const link = "https://logs/1";
    const { item, id: standIn } = await choose(archive, { link });
    const [other = 0] = await itemsOf(archive, ["other"]);
    await archive.commit([fetched(item, "{}", { link, instanceId: "Named" })]);
    await deliver(archive, "/two", ["csv"], 1, [item]);
    await deliver(archive, "/one", ["ndjson", "csv"], 0, [item, other]);
    await deliver(archive, "/three", ["csv"], 1, [other]);
    const places = [
      { place: "/one", format: "csv" },
      { place: "/one", format: "ndjson" },
      { place: "/two", format: "csv" },
    ];
    expect(await archive.holding("nAMED")).toEqual(places);
    expect(await archive.holding(standIn)).toEqual(places);
    expect(await archive.holding("unknown' or 1=1 --")).toEqual([]);
  },

  "folders of data sets are remembered without the lock, once each, and hold no call by themselves": async ({
    open,
  }) => {
    const archive = await open();
    await storeCalls(archive, ["a"]);
    const other = await open();
    expect(await other.sets()).toEqual([]);
    for (const place of ["/sets/b", "/sets/a", "/sets/b"]) await other.rememberSet(place);
    expect(await archive.sets()).toEqual(["/sets/a", "/sets/b"]);
    expect(await archive.holding("a")).toEqual([]);
    expect(await archive.parts("/sets/a")).toEqual([]);
  },
} satisfies Clauses;
