import fc from "fast-check";
import { expect } from "vitest";
import type { Archive } from "../../../src/core/archive.ts";
import type { Arrival, StoredConversation } from "../../../src/core/records.ts";
import type { SourceName } from "../../../src/core/transcript.ts";
import { type Clauses, collect, expectRefused, fetched, idsIn } from "./contract.ts";

/** The time of all records: minutes after this. */
const T0 = Date.parse("2025-07-14T00:00:00Z");

export const note = (conversation: string, id: string, text: string, minute?: number, running = false): Arrival => ({
  source: "chats",
  conversation,
  record: {
    id,
    data: { conversation, id, text, minute: minute ?? null, running },
    ...(minute !== undefined && { at: new Date(T0 + minute * 60_000) }),
    ...(running && { running }),
  },
});

export const notesOf = ({ further }: StoredConversation): string[] =>
  (JSON.parse(Buffer.from(further ?? Buffer.from("[]")).toString()) as { text: string }[]).map(({ text }) => text);

const all = (archive: Archive): Promise<StoredConversation[]> => collect(archive.list({}, { documents: true }));

/** All that exports can see of an archive. */
const seen = async (archive: Archive) => ({
  conversations: (await all(archive)).map(({ item: _, further, error, attempts: _a, ...conversation }) => ({
    ...conversation,
    further: Buffer.from(further ?? []).toString(),
    code: error?.code,
  })),
  counts: await archive.counts(),
  conflicts: await archive.conflicts(),
  problems: await archive.integrity(),
});

const dayAfter = (): Date => new Date(T0 + 86_400_000);

export const records = {
  "of one conversation are one conversation, in the records' own order": async ({ open }) => {
    const archive = await open(dayAfter);
    const results = await archive.addRecords([
      note("c", "3", "last"),
      note("c", "2", "two", 2),
      note("d", "9", "other", 5),
      note("c", "1", "one", 1),
      note("c", "0", "also two", 2),
    ]);
    expect(results).toEqual(Array(5).fill("added"));
    const [c, d] = await all(archive);
    expect([c?.id, c && notesOf(c), c?.startedAt]).toEqual([
      "c",
      ["one", "also two", "two", "last"],
      "2025-07-14T00:01:00.000Z",
    ]);
    expect(c?.records?.[0]).toMatchObject({ source: "chats", id: "1", at: "2025-07-14T00:01:00.000Z" });
    expect(d && notesOf(d)).toEqual(["other"]);
    // A record without a time is as old as its arrival.
    expect(await archive.counts()).toMatchObject({ fetched: 1, open: 1 });
  },

  "survive closing and opening, byte for byte": async ({ open }) => {
    const archive = await open(dayAfter);
    await archive.addRecords([note("长", "\ud83d\ude00", 'quote " and \u0000', 1)]);
    const before = await all(archive);
    await archive.close();
    expect(await all(await open(dayAfter))).toEqual(before);
    expect(before.flatMap(notesOf)).toEqual(['quote " and \u0000']);
  },

  "arrive twice without effect; a final state replaces a running one, and a late running state is dropped": async ({
    open,
  }) => {
    const archive = await open(dayAfter);
    const add = (...arrivals: Arrival[]) => archive.addRecords(arrivals);
    const texts = async () => (await all(archive)).map(notesOf);
    expect(await add(note("c", "1", "half", 1, true))).toEqual(["added"]);
    expect(await add(note("c", "1", "half", 1, true))).toEqual(["repeated"]);
    expect(await add(note("c", "1", "whole", 1))).toEqual(["replaced"]);
    expect(await add(note("c", "1", "halfway there", 1, true), note("c", "1", "whole", 1))).toEqual([
      "repeated",
      "repeated",
    ]);
    expect(await texts()).toEqual([["whole"]]);
    expect(await archive.addRecords([note("c", "1", "new", 1)], { refresh: true })).toEqual(["replaced"]);
    expect(await texts()).toEqual([["new"]]);
    expect(await archive.conflicts()).toBe(0);
  },

  "with one id and different content are both kept, and counted; the longer one is used": async ({ another }) => {
    for (const [first = "", second = ""] of [
      ["short", "the longer"],
      ["the longer", "short"],
    ]) {
      const archive = await (await another()).open(dayAfter);
      expect(await archive.addRecords([note("c", "1", first, 1)])).toEqual(["added"]);
      expect(await archive.addRecords([note("d", "1", second, 1)])).toEqual(["conflict"]);
      expect(await archive.conflicts()).toBe(1);
      const found = await all(archive);
      expect(found.flatMap((each) => (each.further ? notesOf(each) : []))).toEqual(["the longer"]);
      // A conversation whose only record belongs to another one says so.
      expect(found.filter(({ error }) => error?.code === "Conflict")).toMatchObject([{ state: "invalid" }]);
    }
  },

  "give the same conversations in any order, in any batches, with any repetition": async ({ another }) => {
    const arrival = fc
      .record({
        conversation: fc.constantFrom("a", "A", "b"),
        id: fc.constantFrom("1", "2", "3", "\ud800", "x'; drop table records; --"),
        text: fc.constantFrom("", "one", "two", "longer \udfff", "\u0000"),
        minute: fc.option(fc.constantFrom(-1e8, 0, 1, 1, 2, 1e8), { nil: undefined }),
        running: fc.boolean(),
        agentId: fc.option(fc.constantFrom("x", "y"), { nil: undefined }),
      })
      .map(({ conversation, id, text, minute, running, agentId }) => {
        const arrival = note(conversation, id, text, minute, running);
        arrival.record.data.agent = agentId ?? null;
        return { ...arrival, ...(agentId && { agentId }) };
      });
    const scenario = fc.array(arrival, { maxLength: 12 }).chain((arrivals) =>
      fc.record({
        arrivals: fc.constant(arrivals),
        shuffled: fc.shuffledSubarray(arrivals, { minLength: arrivals.length, maxLength: arrivals.length }),
        again: fc.subarray(arrivals),
        size: fc.integer({ min: 1, max: 5 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(scenario, async ({ arrivals, shuffled, again, size }) => {
        const one = await (await another()).open(dayAfter);
        await one.addRecords(arrivals);
        const other = await (await another()).open(dayAfter);
        const order = [...shuffled, ...again];
        for (let at = 0; at < order.length; at += size) await other.addRecords(order.slice(at, at + size));
        expect(await seen(other)).toEqual(await seen(one));
        expect((await seen(one)).problems).toEqual([]);
        await one.close();
        await other.close();
      }),
      { numRuns: 40 },
    );
  },

  "make a conversation that is open until half an hour after the last of them": async ({ open }) => {
    const arrival = T0 + 60 * 60_000;
    const archive = await open(() => new Date(arrival));
    // A time in the future counts as that of the arrival.
    await archive.addRecords([note("now", "1", "a", 59), note("old", "2", "b", 1), note("future", "3", "c", 1e6)]);
    await archive.close();
    const states = async (minutes: number) => {
      const later = await open(() => new Date(arrival + minutes * 60_000));
      const found = Object.fromEntries((await all(later)).map(({ id, state }) => [id, state]));
      const { counts } = await later.summary();
      await later.selectStored({ states: ["open"] });
      const selected = await later.counts();
      const exported = (await collect(later.conversations())).length;
      await later.close();
      expect([selected.open, exported]).toEqual([counts.open, 0]);
      return [found, counts.open, counts.fetched];
    };
    expect(await states(0)).toEqual([{ now: "open", old: "fetched", future: "open" }, 2, 1]);
    expect(await states(29.5)).toEqual([{ now: "fetched", old: "fetched", future: "open" }, 1, 2]);
    expect(await states(30)).toEqual([{ now: "fetched", old: "fetched", future: "fetched" }, 0, 3]);
  },

  "with unusable ids are refused, and nothing of the batch is stored": async ({ open }) => {
    const archive = await open(dayAfter);
    for (const id of ["", "a\u0000b", "x".repeat(100_000)]) {
      await expect(archive.addRecords([note("c", "1", "fine", 1), note("c", id, "text", 1)])).rejects.toThrow(
        "Not an id",
      );
      await expect(archive.addRecords([note(id, "1", "text", 1)])).rejects.toThrow("Not an id");
    }
    expect(await all(archive)).toEqual([]);
  },

  "are of their source: only ids of calls fold case, and a bare id of several sources is a usage error": async ({
    open,
  }) => {
    const archive = await open(dayAfter);
    await archive.select([{ instanceId: "Both" }, { instanceId: "chats:x" }]);
    await archive.addRecords([note("both", "1", "chat", 1), note("Both", "2", "Chat", 1), note("x", "3", "y", 1)]);
    expect((await all(archive)).map(({ source, id }) => `${source} ${id}`).toSorted()).toEqual([
      "calls Both",
      "calls chats:x",
      "chats Both",
      "chats both",
      "chats x",
    ]);
    expect(await collect(archive.list({ sources: ["chats"] }))).toHaveLength(3);
    await expect(archive.find("both")).rejects.toThrow("Write one of: ");
    const sourceOf = async (id: string) => (await archive.find(id))?.source;
    expect(await sourceOf("calls:BOTH")).toBe("calls");
    expect((await archive.find("chats:Both"))?.id).toBe("Both");
    expect(await sourceOf("chats:BOTH")).toBeUndefined();
    expect(await sourceOf("x")).toBe("chats");
    expect(await sourceOf("chats:x")).toBe("chats");
    expect(await sourceOf("calls:chats:x")).toBe("calls");
  },

  "are selected, found, summed up and deleted by source": async ({ open, another }) => {
    const archive = await open(dayAfter);
    const items = await archive.select([{ instanceId: "Both", agentId: "one" }, { instanceId: "call" }]);
    const at = (day: number) => `2025-07-0${day}T00:00:00.000Z`;
    await archive.commit(items.map(({ item }, n) => fetched(item, `{"n":${n}}`, { startedAt: at(n + 1) })));
    const chats = [note("both", "1", "chat", 5), note("x", "2", "chat", 7), note("new", "3", "chat", 24 * 60)];
    await archive.addRecords(chats.map((each) => ({ ...each, agentId: "one" })));
    await archive.close();

    const again = await open(dayAfter);
    expect(await again.selectStored({ sources: ["queries"] })).toBe(0);
    expect(await again.selectStored({ sources: ["chats"], id: "both" })).toBe(1);
    expect(await idsIn(again.conversations())).toEqual(["both"]);
    expect(await again.selectStored({ sources: ["chats"], until: dayAfter() })).toBe(1);
    expect(await again.selectStored({ sources: ["calls"], id: "both" })).toBe(1);
    expect(await again.selectStored({ sources: ["calls", "chats"] })).toBe(2);
    await again.close();

    const reader = await open(dayAfter);
    expect(await idsIn(reader.list({ sources: ["chats"], limit: 2 }))).toEqual(["both", "x"]);
    expect(await idsIn(reader.list({ sources: ["calls"], agents: ["one"] }))).toEqual(["Both"]);
    const sourceOf = async (id: string, ...sources: SourceName[]) => (await reader.find(id, sources))?.source;
    expect(await sourceOf("call", "chats")).toBeUndefined();
    expect(await sourceOf("both", "chats")).toBe("chats");
    expect(await sourceOf("BOTH", "calls")).toBe("calls");
    await expectRefused(sourceOf("calls:both", "chats"), /^UsageError: calls:both is .* calls, but only chats/);
    await expectRefused(sourceOf("both", "calls", "chats"), /^UsageError: .*Write one of: /);
    expect(await reader.beginningWith("bot", 9, ["chats"])).toEqual(["chats:both"]);
    expect(await reader.beginningWith("bot", 9, ["calls"])).toEqual(["Both"]);
    // Also where the archive has no conversation of the source that the id names.
    const other = await (await another()).open(dayAfter);
    await expectRefused(other.find("chats:x", ["calls"]), /^UsageError: /);

    const none = { pending: 0, open: 0, fetched: 0, missing: 0, invalid: 0, failed: 0, pruned: 0 };
    const calls = { source: "calls", counts: { ...none, fetched: 2 }, first: at(1), last: at(2) };
    const times = { first: "2025-07-14T00:05:00.000Z", last: "2025-07-15T00:00:00.000Z" };
    const ofChats = { source: "chats", counts: { ...none, fetched: 2, open: 1 }, ...times };
    const agent = { agentId: "one", calls: 4, first: at(1), last: times.last };
    expect(await reader.summary()).toMatchObject({
      counts: { ...none, fetched: 4, open: 1 },
      sources: [calls, ofChats],
      agents: [agent],
    });
    expect(await reader.summary(["chats"])).toMatchObject({
      counts: ofChats.counts,
      sources: [ofChats],
      agents: [{ ...agent, calls: 3, ...times }],
    });
    expect(await reader.summary(["calls"])).toMatchObject({
      counts: calls.counts,
      sources: [calls],
      agents: [{ ...agent, calls: 1, first: at(1), last: at(1) }],
    });
    expect(await reader.summary(["queries"])).toMatchObject({ counts: none, sources: [], agents: [] });

    expect(await reader.prune({ sources: ["chats"], id: "both" })).toBe(1);
    expect(await reader.prune({ sources: ["chats"], states: ["fetched"] })).toBe(1);
    const states = (await all(reader)).map(({ source, id, state }) => `${source} ${id} ${state}`);
    expect(states.toSorted()).toEqual([
      "calls Both fetched",
      "calls call fetched",
      "chats both pruned",
      "chats new open",
      "chats x pruned",
    ]);
  },

  "name their source where it is asked which outputs hold them": async ({ open }) => {
    const archive = await open(dayAfter);
    const [call] = await archive.select([{ instanceId: "both" }]);
    await archive.addRecords([note("both", "1", "chat", 5)]);
    await archive.delivering("csv", [call?.item ?? 0]);
    await archive.prepare("/place", ["csv"], 1);
    await archive.confirm("/place", 1);
    expect(await archive.holding("both", ["calls"])).toEqual([{ place: "/place", format: "csv" }]);
    expect(await archive.holding("both", ["chats"])).toEqual([]);
  },

  "are deleted with their conversation; what comes later for it is dropped": async ({ open }) => {
    const archive = await open(dayAfter);
    await archive.addRecords([note("c", "1", "SECRET", 1), note("c", "1", "SECRET TOO", 1), note("d", "2", "kept", 1)]);
    expect(await archive.prune({ id: "c" })).toBe(1);
    expect(await archive.addRecords([note("c", "1", "SECRET", 1), note("c", "7", "late", 1)])).toEqual([
      "dropped",
      "dropped",
    ]);
    const found = await all(archive);
    expect(found.map(({ id, state }) => `${id} ${state}`).toSorted()).toEqual(["c pruned", "d fetched"]);
    expect(found.flatMap(notesOf)).toEqual(["kept"]);
    expect(await archive.integrity()).toEqual([]);
  },
} satisfies Clauses;

/** Delivers what a place lacks as its next part. Resolves to the revisions of what was delivered; 1 for the first time. */
const deliver = async (archive: Archive, part: number, place = "/out"): Promise<number[]> => {
  const items = (await all(archive)).map(({ item }) => item);
  const delivered = await archive.delivered(place, "ndjson", items);
  const due = items.filter((item) => !delivered.has(item) || delivered.get(item)?.changed);
  await archive.delivering("ndjson", due);
  await archive.prepare(place, ["ndjson"], part, `token ${part}`);
  await archive.confirm(place, part);
  return due.map((item) => delivered.get(item)?.changed?.number ?? 1);
};

export const revisions = {
  "a destination gets a conversation again when it has changed, and each time the number is one higher": async ({
    open,
  }) => {
    const archive = await open(dayAfter);
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
    const again = await open(dayAfter);
    expect(await deliver(again, 6)).toEqual([3]);
    // Another destination has it for the first time.
    expect(await deliver(again, 1, "/elsewhere")).toEqual([1, 1]);
  },

  "what a destination has is told by the digest of the transcript before the first change since then": async ({
    open,
  }) => {
    const archive = await open(dayAfter);
    await archive.addRecords([note("c", "1", "one", 1)]);
    await deliver(archive, 1);
    const before = async () => {
      const [{ item = 0 } = {}] = await all(archive);
      return (await archive.delivered("/out", "ndjson", [item])).get(item)?.changed?.before;
    };
    expect(await before()).toBeUndefined();
    await archive.addRecords([note("c", "2", "two", 2)]);
    const first = await before();
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    await archive.addRecords([note("c", "3", "three", 3)]);
    expect(await before()).toBe(first);
    await deliver(archive, 2);
    await archive.addRecords([note("c", "4", "four", 4)]);
    expect(await before()).not.toBe(first);
  },

  "a part that never appeared is no delivery": async ({ open }) => {
    const archive = await open(dayAfter);
    await archive.addRecords([note("c", "1", "one", 1)]);
    await deliver(archive, 1);
    await archive.addRecords([note("c", "2", "two", 2)]);
    const [{ item = 0 } = {}] = await all(archive);
    const due = async () => (await archive.delivered("/out", "ndjson", [item])).get(item)?.changed?.number;
    expect(await due()).toBe(2);
    await archive.delivering("ndjson", [item]);
    await archive.prepare("/out", ["ndjson"], 2, "token 2");
    expect(await due()).toBeUndefined();
    await archive.withdraw("/out", 2);
    expect(await due()).toBe(2);
  },

  "a call whose document is replaced by other bytes has changed; by the same bytes it has not": async ({ open }) => {
    const archive = await open(dayAfter);
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
  },
} satisfies Clauses;
