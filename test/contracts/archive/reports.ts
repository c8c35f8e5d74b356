import { expect } from "vitest";
import type { Archive } from "../../../src/core/archive.ts";
import { at2025, type Clauses, choose, collect, documentOf, failure, fetched, itemsOf } from "./contract.ts";

/** A run that reports the trouble of the connection's selection. */
const report = async (archive: Archive, reported = true): Promise<void> => {
  const run = await archive.beginRun({ command: "pull", version: "1", startedAt: at2025(0) });
  await archive.endRun(run, { endedAt: at2025(1), exitCode: 3, detail: {}, ...(reported && { reported }) });
};

export const reports = {
  "trouble is known once a run has reported it, until its state or code changes": async ({ open }) => {
    const archive = await open();
    const [one = 0, two = 0, three = 0] = await itemsOf(archive, ["a", "b", "c", "pending"]);
    await archive.commit([failure(one, "missing"), failure(two, "failed", "Old"), failure(three, "open")]);
    expect(await archive.trouble()).toEqual({ known: 0, acknowledged: 0 });
    await report(archive, false);
    expect(await archive.trouble()).toEqual({ known: 0, acknowledged: 0 });
    await report(archive);
    expect(await archive.trouble()).toEqual({ known: 2, acknowledged: 0 });
    expect(await archive.find("a")).toMatchObject({ known: true });
    expect((await archive.find("c"))?.known).toBeUndefined();
    await archive.commit([failure(two, "failed", "New")]);
    expect(await archive.trouble()).toEqual({ known: 1, acknowledged: 0 });
    await archive.commit([failure(one, "failed")]);
    expect(await archive.trouble()).toEqual({ known: 0, acknowledged: 0 });
  },

  "only trouble of the selection is counted and reported": async ({ open }) => {
    const archive = await open();
    const [one = 0, two = 0] = await itemsOf(archive, ["a", "b"]);
    await archive.commit([failure(one, "missing"), failure(two, "missing")]);
    const other = await open();
    await choose(other, "a");
    await report(other);
    expect(await other.trouble()).toEqual({ known: 1, acknowledged: 0 });
    expect(await archive.trouble()).toEqual({ known: 1, acknowledged: 0 });
    expect((await archive.find("b"))?.known).toBeUndefined();
    expect(await (await open()).trouble()).toEqual({ known: 0, acknowledged: 0 });
  },

  "a call that was fetched since counts as new when it is in trouble again": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, "a");
    await archive.commit([{ ...failure(item, "invalid"), document: documentOf("bad") }]);
    await report(archive);
    expect(await archive.trouble()).toEqual({ known: 1, acknowledged: 0 });
    await archive.commit([fetched(item, "{}")]);
    expect(await archive.trouble()).toEqual({ known: 0, acknowledged: 0 });
    await report(archive);
    await archive.prune({ id: "a" });
    expect(await archive.find("a")).not.toHaveProperty("known");
  },

  "calls in trouble are acknowledged, and only those": async ({ open }) => {
    const archive = await open();
    const ids = ["missing", "invalid", "failed", "open", "pending", "fetched"];
    const items = await itemsOf(archive, ids);
    const [missing = 0, invalid = 0, failed = 0, unfinished = 0, , good = 0] = items;
    await archive.commit([
      failure(missing, "missing"),
      { ...failure(invalid, "invalid"), document: documentOf("x") },
      failure(failed, "failed"),
      failure(unfinished, "open"),
      fetched(good, "{}"),
    ]);
    await archive.acknowledge([...items, 123_456]);
    expect(await archive.trouble()).toEqual({ known: 0, acknowledged: 3 });
    const other = await open();
    const flags = (await other.select(ids.map((instanceId) => ({ instanceId })))).map(
      ({ acknowledged }) => acknowledged,
    );
    expect(flags).toEqual([true, true, true, undefined, undefined, undefined]);
    const records = await collect(other.unsettled());
    expect(records.flatMap(({ id, acknowledged }) => (acknowledged ? id : [])).toSorted()).toEqual(
      ["missing", "invalid", "failed"].toSorted(),
    );
  },

  "acknowledged trouble stays so after another report, until it is taken back": async ({ open }) => {
    const archive = await open();
    const [one = 0, two = 0] = await itemsOf(archive, ["a", "b"]);
    await archive.commit([failure(one, "missing"), failure(two, "missing")]);
    await archive.acknowledge([one]);
    await report(archive);
    expect(await archive.trouble()).toEqual({ known: 1, acknowledged: 1 });
    await archive.takeBack([one]);
    expect(await archive.trouble()).toEqual({ known: 1, acknowledged: 0 });
    expect((await archive.find("a"))?.acknowledged).toBeUndefined();
    await archive.takeBack([two]);
    expect(await archive.trouble()).toEqual({ known: 0, acknowledged: 0 });
  },
} satisfies Clauses;
