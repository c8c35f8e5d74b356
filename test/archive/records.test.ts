import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { openArchive } from "../../src/archive/index.ts";
import type { Archive } from "../../src/core/archive.ts";
import type { Arrival, StoredRecord } from "../../src/core/records.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const T0 = Date.parse("2025-07-14T00:00:00Z");

/** Opens one archive, again and again, at chosen times. */
const place = () => {
  const folder = mkdtempSync(join(tmpdir(), "records-"));
  folders.push(folder);
  return (at = T0 + 86_400_000): Promise<Archive> =>
    openArchive({ place: join(folder, "a.db"), create: true, now: () => new Date(at) });
};

const note = (conversation: string, id: string, text: string, minute?: number, running = false): Arrival => ({
  source: "chats",
  conversation,
  record: {
    id,
    data: { id, text },
    ...(minute !== undefined && { at: new Date(T0 + minute * 60_000) }),
    ...(running && { running }),
  },
});

const textOf = ({ further }: StoredRecord): string[] =>
  (JSON.parse(Buffer.from(further ?? Buffer.from("[]")).toString()) as { text: string }[]).map(({ text }) => text);

const all = async (archive: Archive): Promise<StoredRecord[]> => {
  const found: StoredRecord[] = [];
  for await (const batch of archive.list({}, { documents: true })) found.push(...batch);
  return found;
};

/** All that exports can see of an archive. */
const seen = async (archive: Archive) =>
  (await all(archive)).map(({ id, state, startedAt, agentId, records, further, error }) => ({
    id,
    state,
    startedAt,
    agentId,
    records,
    further: Buffer.from(further ?? []).toString(),
    code: error?.code,
  }));

describe("records of conversations that have many", () => {
  test("are one conversation in the records' own order, whatever their order of arrival", async () => {
    const archive = await place()();
    const results = await archive.addRecords([
      note("c", "3", "last"),
      note("c", "2", "two", 2),
      note("d", "9", "other", 5),
      note("c", "1", "one", 1),
      note("c", "0", "also two", 2),
    ]);
    expect(results).toEqual(Array(5).fill("added"));
    const [c, d] = await all(archive);
    expect([c?.id, c && textOf(c), c?.startedAt]).toEqual([
      "c",
      ["one", "also two", "two", "last"],
      "2025-07-14T00:01:00.000Z",
    ]);
    expect(c?.records?.[0]).toMatchObject({ source: "chats", id: "1", at: "2025-07-14T00:01:00.000Z", bytes: 23 });
    expect(d && textOf(d)).toEqual(["other"]);
    expect(await archive.counts()).toMatchObject({ fetched: 1, open: 1 });
    await archive.close();
  });

  test("arrive twice without effect; a final state replaces a running one; a late running state is dropped", async () => {
    const archive = await place()();
    const add = async (...arrivals: Arrival[]) => archive.addRecords(arrivals);
    expect(await add(note("c", "1", "half", 1, true))).toEqual(["added"]);
    expect(await add(note("c", "1", "half", 1, true))).toEqual(["repeated"]);
    expect(await add(note("c", "1", "whole", 1))).toEqual(["replaced"]);
    expect(await add(note("c", "1", "halfway there", 1, true), note("c", "1", "whole", 1))).toEqual([
      "repeated",
      "repeated",
    ]);
    expect((await all(archive)).map(textOf)).toEqual([["whole"]]);
    expect(await archive.addRecords([note("c", "1", "new", 1)], { refresh: true })).toEqual(["replaced"]);
    expect((await all(archive)).map(textOf)).toEqual([["new"]]);
    expect(await archive.conflicts()).toBe(0);
    await archive.close();
  });

  test("with one id and different content are a conflict: both are kept, the longer one is used", async () => {
    for (const texts of [
      ["short", "the longer"],
      ["the longer", "short"],
    ]) {
      const archive = await place()();
      const [first = "", second = ""] = texts;
      expect(await archive.addRecords([note("c", "1", first, 1)])).toEqual(["added"]);
      expect(await archive.addRecords([note("d", "1", second, 1)])).toEqual(["conflict"]);
      expect(await archive.conflicts()).toBe(1);
      const found = await all(archive);
      expect(found.flatMap((each) => (each.further ? textOf(each) : []))).toEqual(["the longer"]);
      // A conversation whose only record belongs to another one says so.
      expect(found.filter(({ error }) => error?.code === "Conflict")).toMatchObject([{ state: "invalid" }]);
      await archive.close();
    }
  });

  test("any order of arrival, any batches, any repetition give the same conversations", async () => {
    const arrival = fc
      .record({
        conversation: fc.constantFrom("a", "A", "b"),
        id: fc.constantFrom("1", "2", "3", "\ud800", "x'; drop table records; --", "\u0000"),
        text: fc.constantFrom("", "one", "two", "longer \udfff", "\u0000"),
        minute: fc.option(fc.constantFrom(-1e8, 0, 1, 1, 2, 1e8), { nil: undefined }),
        running: fc.boolean(),
        agent: fc.option(fc.constantFrom("x", "y"), { nil: undefined }),
      })
      .map(({ conversation, id, text, minute, running, agent = "" }) => {
        const arrival = note(conversation, id, text, minute, running);
        Object.assign(arrival.record.data, { conversation, minute: minute ?? null, running, agent });
        return { ...arrival, ...(agent && { agentId: agent }) };
      });
    await fc.assert(
      fc.asyncProperty(
        fc.array(arrival, { maxLength: 12 }).chain((arrivals) =>
          fc.record({
            arrivals: fc.constant(arrivals),
            shuffled: fc.shuffledSubarray(arrivals, { minLength: arrivals.length, maxLength: arrivals.length }),
            again: fc.subarray(arrivals),
            size: fc.integer({ min: 1, max: 5 }),
          }),
        ),
        async ({ arrivals, shuffled, again, size }) => {
          const one = await place()();
          if (arrivals.length > 0) await one.addRecords(arrivals);
          const other = await place()();
          const order = [...shuffled, ...again];
          for (let at = 0; at < order.length; at += size) await other.addRecords(order.slice(at, at + size));
          expect(await seen(other)).toEqual(await seen(one));
          expect(await other.counts()).toEqual(await one.counts());
          expect(await other.integrity()).toEqual([]);
          await one.close();
          await other.close();
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  test("a conversation is open until half an hour after its last record; a time in the future counts as its arrival", async () => {
    const open = place();
    const arrival = T0 + 60 * 60_000;
    const archive = await open(arrival);
    await archive.addRecords([note("now", "1", "a", 59), note("old", "2", "b", 1), note("future", "3", "c", 1e6)]);
    await archive.close();
    const states = async (at: number) => {
      const later = await open(at);
      const found = Object.fromEntries((await all(later)).map(({ id, state }) => [id, state]));
      const { counts } = await later.summary();
      await later.selectStored({ states: ["open"] });
      const selected = await later.counts();
      await later.close();
      return [found, [counts.open, counts.fetched], selected.open];
    };
    const minutes = (n: number): number => arrival + n * 60_000;
    expect(await states(minutes(0))).toEqual([{ now: "open", old: "fetched", future: "open" }, [2, 1], 2]);
    expect(await states(minutes(29.5))).toEqual([{ now: "fetched", old: "fetched", future: "open" }, [1, 2], 1]);
    expect(await states(minutes(30))).toEqual([{ now: "fetched", old: "fetched", future: "fetched" }, [0, 3], 0]);
  });

  test("ids are of their source: only calls fold case, and a bare id of several sources is a usage error", async () => {
    const archive = await place()();
    await archive.select([{ instanceId: "Both" }, { instanceId: "chats:x" }]);
    await archive.addRecords([note("both", "1", "chat", 1), note("Both", "2", "Chat", 1), note("x", "3", "y", 1)]);
    expect((await all(archive)).map(({ source, id }) => `${source} ${id}`).toSorted()).toEqual([
      "calls Both",
      "calls chats:x",
      "chats Both",
      "chats both",
      "chats x",
    ]);
    await expect(archive.find("both")).rejects.toThrow("Write one of: ");
    const sourceOf = async (id: string) => (await archive.find(id))?.source;
    expect(await sourceOf("calls:BOTH")).toBe("calls");
    expect((await archive.find("chats:Both"))?.id).toBe("Both");
    expect(await sourceOf("chats:BOTH")).toBeUndefined();
    expect(await sourceOf("x")).toBe("chats");
    expect(await sourceOf("chats:x")).toBe("chats");
    expect(await sourceOf("calls:chats:x")).toBe("calls");
    await archive.close();
  });

  test("forgetting a conversation deletes all its records; what comes later for it is dropped", async () => {
    const archive = await place()();
    await archive.addRecords([note("c", "1", "SECRET", 1), note("c", "1", "SECRET TOO", 1), note("d", "2", "kept", 1)]);
    expect(await archive.prune({ id: "c" })).toBe(1);
    expect(await archive.addRecords([note("c", "1", "SECRET", 1), note("c", "7", "late", 1)])).toEqual([
      "dropped",
      "dropped",
    ]);
    expect((await all(archive)).map(({ id, state }) => `${id} ${state}`).toSorted()).toEqual(["c pruned", "d fetched"]);
    expect(await archive.integrity()).toEqual([]);
    await archive.close();
  });
});

describe("revisions", () => {
  const deliver = async (archive: Archive, part: number) => {
    const items = (await all(archive)).map(({ item }) => item);
    const delivered = await archive.delivered("/out", "ndjson", items);
    const due = items.filter((item) => !delivered.has(item) || delivered.get(item)?.changed);
    await archive.delivering("ndjson", due);
    await archive.prepare("/out", ["ndjson"], part, `token ${part}`);
    await archive.confirm("/out", part);
    return due.map((item) => delivered.get(item)?.changed?.number ?? 1);
  };

  test("a destination that has a conversation gets it again when its records have changed, and counts", async () => {
    const open = place();
    const archive = await open();
    await archive.addRecords([note("c", "1", "one", 1), note("d", "9", "other", 1)]);
    expect(await deliver(archive, 1)).toEqual([1, 1]);
    expect(await deliver(archive, 2)).toEqual([]);
    await archive.addRecords([note("c", "1", "one", 1)]);
    expect(await deliver(archive, 3)).toEqual([]);
    await archive.addRecords([note("c", "2", "two", 2)]);
    await archive.addRecords([note("c", "3", "three", 3)]);
    expect(await deliver(archive, 4)).toEqual([2]);
    expect(await deliver(archive, 5)).toEqual([]);
    await archive.addRecords([note("c", "4", "four", 4)]);
    await archive.close();
    const again = await open();
    expect(await deliver(again, 6)).toEqual([3]);
    // Another destination has it for the first time.
    const items = (await all(again)).map(({ item }) => item);
    expect(await again.delivered("/elsewhere", "ndjson", items)).toEqual(new Map());
    await again.close();
  });

  test("a part that never appeared is no delivery: its revision is due again", async () => {
    const archive = await place()();
    await archive.addRecords([note("c", "1", "one", 1)]);
    await deliver(archive, 1);
    await archive.addRecords([note("c", "2", "two", 2)]);
    const [{ item = 0 } = {}] = await all(archive);
    expect((await archive.delivered("/out", "ndjson", [item])).get(item)?.changed?.number).toBe(2);
    await archive.delivering("ndjson", [item]);
    await archive.prepare("/out", ["ndjson"], 2, "token 2");
    expect((await archive.delivered("/out", "ndjson", [item])).get(item)?.changed).toBeUndefined();
    await archive.withdraw("/out", 2);
    expect((await archive.delivered("/out", "ndjson", [item])).get(item)?.changed?.number).toBe(2);
    await archive.close();
  });

  test("a call whose document is refreshed with other bytes is due again; with the same bytes it is not", async () => {
    const archive = await place()();
    const [call] = await archive.select([{ instanceId: "a" }]);
    const commit = (text: string) => {
      const bytes = Buffer.from(text);
      const document = { bytes, sha256: text.repeat(64).slice(0, 64) };
      return archive.commit([{ item: call?.item ?? 0, state: "fetched", instanceId: "a", document }]);
    };
    await commit("a");
    expect(await deliver(archive, 1)).toEqual([1]);
    await commit("a");
    expect(await deliver(archive, 2)).toEqual([]);
    await commit("b");
    expect(await deliver(archive, 3)).toEqual([2]);
    await archive.close();
  });
});
