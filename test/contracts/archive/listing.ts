import { expect } from "vitest";
import type { Archive } from "../../../src/core/archive.ts";
import type { Window } from "../../../src/core/records.ts";
import { type Clauses, choose, clock, failure, fetched, windowAt } from "./contract.ts";

const link = "https://logs/1";
const starts = (windows: readonly Window[]): number[] => windows.map(({ start }) => start.getTime() / 3.6e6).toSorted();

/** Selects a call that was listed in the window of this hour. */
const listedIn = async (archive: Archive, hour: number, agentId = "agent"): Promise<number> =>
  (await choose(archive, { link: `https://logs/${agentId}/${hour}`, agentId, window: windowAt(hour) })).item;

export const listing = {
  "a call without an id is listed again where it was listed last": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, { link, agentId: "agent", window: windowAt(1) });
    expect(await archive.listing(item)).toEqual({ link, agentId: "agent", window: windowAt(1) });
    await choose(archive, { link, agentId: "agent", window: windowAt(-2) });
    expect(await archive.listing(item)).toEqual({ link, agentId: "agent", window: windowAt(-2) });
    // Its document is stored, and the link comes from the metadata.
    await archive.commit([fetched(item, "{}", { link, meta: { CallLogUrl: link } })]);
    expect(await archive.listing(item)).toEqual({ link, agentId: "agent", window: windowAt(-2) });
    expect(await archive.listing((await choose(archive, "by id")).item)).toBeUndefined();
  },

  "a window is unsettled while it has a call that may still change": async ({ open }) => {
    const { now, pass } = clock();
    const archive = await open(now);
    const before = now();
    pass(1);
    const items: number[] = [];
    for (let hour = 0; hour < 8; hour += 1) items.push(await listedIn(archive, hour));
    const [fine = 0, open_ = 0, failed = 0, missing = 0, notJson = 0, invalid = 0, pruned = 0] = items;
    const document = { bytes: Buffer.from("x"), sha256: "00" };
    await archive.commit([
      fetched(fine, "{}"),
      failure(open_, "open"),
      failure(failed, "failed"),
      failure(missing, "missing"),
      { ...failure(notJson, "invalid", "NotJson"), document },
      { ...failure(invalid, "invalid", "NotACallLog"), document: { ...document, sha256: "01" } },
      fetched(pruned, "{}", { instanceId: "pruned" }),
    ]);
    await archive.prune({ id: "pruned" });
    await listedIn(archive, 9, "other");
    expect(starts(await archive.unsettledWindows("agent", before))).toEqual([1, 2, 4, 7]);
    expect(starts(await archive.unsettledWindows("other", before))).toEqual([9]);
    expect(await archive.unsettledWindows("unknown' or 1=1 --", before)).toEqual([]);
  },

  "items that were first seen too early, or were acknowledged, no longer hold back a cursor": async ({ open }) => {
    const { now, pass } = clock();
    const archive = await open(now);
    const early = await listedIn(archive, 0);
    await listedIn(archive, 1);
    const acknowledged = await listedIn(archive, 2);
    await archive.commit([failure(early, "failed"), failure(acknowledged, "failed")]);
    await archive.acknowledge([acknowledged]);
    pass(60);
    const since = now();
    pass(60);
    await archive.commit([failure(await listedIn(archive, 3), "failed")]);
    // A pending call was never requested, so it holds back the cursor however old it is.
    expect(starts(await archive.unsettledWindows("agent", since))).toEqual([1, 3]);
    expect(starts(await archive.unsettledWindows("agent", new Date(0)))).toEqual([0, 1, 3]);
    await archive.takeBack([acknowledged]);
    expect(starts(await archive.unsettledWindows("agent", new Date(0)))).toEqual([0, 1, 2, 3]);
  },
} satisfies Clauses;
