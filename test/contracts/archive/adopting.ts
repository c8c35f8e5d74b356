import { expect } from "vitest";
import { type Clauses, choose, fetched, storeCalls } from "./contract.ts";
import { deliver } from "./deliveries.ts";

export const adopting = {
  "adopted parts replace the record of a place, and only there": async ({ open }) => {
    const archive = await open();
    const items = await storeCalls(archive, ["a", "b", "c", "d"]);
    const [a = 0, b = 0, c = 0, d = 0] = items;
    await deliver(archive, "/place", ["csv", "html"], 7, [d], "old");
    await deliver(archive, "/other", ["csv"], 1, [d], "other");
    await archive.adopting(1, ["csv"], ["A", "b"]);
    await archive.adopting(2, ["csv", "ndjson"], ["C"]);
    await archive.adopt("/place", [
      { part: 1, token: "t1", formats: ["csv"] },
      { part: 2, token: "t2", formats: ["csv", "ndjson"] },
    ]);
    const other = await open();
    expect(await other.parts("/place")).toEqual([
      { part: 1, prepared: false, token: "t1" },
      { part: 2, prepared: false, token: "t2" },
    ]);
    const has = async (place: string, format: string) => {
      const delivered = await other.delivered(place, format, items);
      return items.filter((item) => delivered.has(item));
    };
    expect(await has("/place", "csv")).toEqual([a, b, c]);
    expect(await has("/place", "ndjson")).toEqual([c]);
    expect(await has("/place", "html")).toEqual([]);
    expect(await has("/other", "csv")).toEqual([d]);
  },

  "known and unknown calls are counted, each once": async ({ open }) => {
    const archive = await open();
    await storeCalls(archive, ["a", "b", "c"]);
    await archive.adopting(1, ["csv", "ndjson"], ["a", "A", "b", "x", "X", "y'; --", "y\u0000", "y\ud800", ""]);
    await archive.adopting(2, ["csv"], ["a", "x", "z".repeat(100_000)]);
    const parts = [{ part: 1, token: "t", formats: ["csv", "ndjson"] }];
    expect(await archive.adopt("/place", parts)).toEqual({ known: 2, unknown: 6 });
    // Notes are used once.
    expect(await archive.adopt("/other", parts)).toEqual({ known: 0, unknown: 0 });
    expect((await archive.delivered("/other", "csv", [1, 2, 3])).size).toBe(0);
  },

  "a call is found by its stand-in id too, also after its instance id became known": async ({ open }) => {
    const archive = await open();
    const links = ["https://logs/1", "https://logs/2"];
    const chosen = await archive.select(links.map((link) => ({ link })));
    await archive.commit(chosen.map(({ item }, at) => fetched(item, `${at}`, { link: links[at] ?? "" })));
    const [named, nameless] = chosen;
    await archive.commit([fetched(named?.item ?? 0, "0", { link: links[0] ?? "", instanceId: "Named" })]);
    await archive.adopting(1, ["csv"], [named?.id ?? "", nameless?.id ?? ""]);
    const counts = await archive.adopt("/place", [{ part: 1, token: "t", formats: ["csv"] }]);
    expect(counts).toEqual({ known: 2, unknown: 0 });
    expect(await archive.holding("named")).toEqual([{ place: "/place", format: "csv" }]);
    expect((await choose(archive, "named")).item).toBe(named?.item);
  },

  "a call that several files have counts for the first part": async ({ open }) => {
    const archive = await open();
    const [a = 0, b = 0] = await storeCalls(archive, ["a", "b"]);
    await archive.adopting(1, ["csv"], ["a"]);
    await archive.adopting(2, ["csv"], ["b", "a"]);
    await archive.adopt("/place", [
      { part: 1, token: "t1", formats: ["csv"] },
      { part: 2, token: "t2", formats: ["csv"] },
    ]);
    await archive.withdraw("/place", 2);
    const delivered = await archive.delivered("/place", "csv", [a, b]);
    expect([delivered.has(a), delivered.has(b)]).toEqual([true, false]);
  },
} satisfies Clauses;
