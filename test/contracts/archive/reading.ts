import { expect } from "vitest";
import { toStoredConversation } from "../../../src/core/raw-conversation.ts";
import type { StoredFilter } from "../../../src/core/records.ts";
import {
  at2025,
  type Clauses,
  choose,
  collect,
  expectRefused,
  failure,
  fetched,
  HOSTILE_IDS,
  idsIn,
  itemsOf,
  storeCalls,
  textOf,
  windowAt,
} from "./contract.ts";

/** By Unicode code points, as bytes of UTF-8 are sorted. */
const byCodePoints = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

export const reading = {
  "conversations come by start, then id in lower case; those without a start come last": async ({ open }) => {
    const archive = await open();
    const ids = ["c", "B", "a", "d", "Y", "x", "\uffff", "\u{1f600}"];
    const items = await itemsOf(archive, ids);
    const starts = [at2025(2), at2025(1), at2025(1), "1969-07-20T00:00:00.000Z", ...Array(4).fill(undefined)];
    await archive.commit(
      items.map((item, at) => fetched(item, `{"n":${at}}`, starts[at] === undefined ? {} : { startedAt: starts[at] })),
    );
    const inOrder = ["d", "a", "B", "c", "x", "Y", "\uffff", "\u{1f600}"];
    expect(await idsIn(archive.conversations())).toEqual(inOrder);
    expect(await idsIn(archive.list({}))).toEqual(inOrder);
    expect((await collect(archive.rawConversations())).map(({ record: { id } }) => id)).toEqual(inOrder);
  },

  "equal starts are ordered by id, whatever characters the ids have": async ({ open }) => {
    const archive = await open();
    const items = await itemsOf(archive, HOSTILE_IDS);
    await archive.commit(items.map((item) => fetched(item, "{}", { startedAt: at2025(0) })));
    const inOrder = HOSTILE_IDS.toSorted((one, other) => byCodePoints(one.toLowerCase(), other.toLowerCase()));
    expect(await idsIn(archive.conversations())).toEqual(inOrder);
  },

  "records have what was stored, and only selected and fetched calls are among them": async ({ open }) => {
    const writer = await open();
    const link = "https://logs/1";
    const { item } = await choose(writer, { instanceId: "a", agentId: "agent", status: "Old" });
    const more = { startedAt: at2025(1), link, status: "Finished", meta: { CallLogUrl: link, Big: "x".repeat(1000) } };
    await writer.commit([fetched(item, '{"a":1}', more)]);
    const [, other = 0] = await itemsOf(writer, ["not selected later", "b"]);
    await writer.commit([failure(other, "missing", "NotFound")]);
    const archive = await open();
    await archive.select([{ instanceId: "a" }, { instanceId: "b" }]);
    const [record, ...rest] = await collect(archive.conversations());
    expect(rest).toEqual([]);
    const { document, ...facts } = record ?? {};
    const expected = { item, source: "calls", state: "fetched", id: "a", agentId: "agent", attempts: 0, ...more };
    expect(facts).toEqual(expected);
    expect(textOf(record)).toBe('{"a":1}');
    expect(document?.sha256).toBe("015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
    expect((await collect(archive.rawConversations())).map(toStoredConversation)).toEqual([record]);
    expect(await archive.find("A")).toEqual(record);
    const unsettled = await collect(archive.unsettled());
    expect(unsettled).toMatchObject([{ id: "b", state: "missing", attempts: 1, error: { code: "NotFound" } }]);
    expect(unsettled[0]?.document).toBeUndefined();
    expect(await archive.find("c")).toBeUndefined();
  },

  "batches are of bounded size, in calls and in bytes": async ({ open }) => {
    const archive = await open();
    const small = Array.from({ length: 1200 }, (_, at) => `s${at}`);
    await storeCalls(archive, small);
    const large = await itemsOf(archive, ["l1", "l2", "l3", "l4", "l5", "l6"]);
    // Bytes that do not compress, so that no adapter can keep them small.
    const noise = Array.from({ length: 100_000 }, (_, at) => Math.sin(at).toString(36).slice(-3)).join("");
    await archive.commit(large.map((item, at) => fetched(item, `${at}${noise}`, { startedAt: at2025(5000) })));
    const sizes = async (batches: AsyncIterable<readonly unknown[]>): Promise<number[]> => {
      const found: number[] = [];
      for await (const batch of batches) found.push(batch.length);
      return found;
    };
    for (const batches of [
      archive.conversations(),
      archive.rawConversations(),
      archive.list({}, { documents: true }),
    ]) {
      const found = await sizes(batches);
      expect(found.reduce((sum, n) => sum + n, 0)).toBe(1206);
      expect(Math.max(...found)).toBeLessThanOrEqual(1000);
      // The large ones are not all in one batch.
      expect(found.slice(-3).reduce((sum, n) => sum + n, 0)).toBeLessThan(6);
    }
    expect(Math.max(...(await sizes(archive.list({}))))).toBeLessThanOrEqual(1000);
  },

  "a reader that stops early, or reads while calls are committed, does no harm": async ({ open }) => {
    const archive = await open();
    await storeCalls(archive, ["a", "b", "c"]);
    for await (const _ of archive.conversations()) break;
    const seen: string[] = [];
    for await (const batch of archive.conversations()) {
      seen.push(...batch.map(({ id }) => id));
      await archive.commit([
        fetched((await choose(archive, "d")).item, "{}", { startedAt: "2024-01-01T00:00:00.000Z" }),
      ]);
    }
    expect(seen).toEqual(["a", "b", "c"]);
    expect(await idsIn(archive.conversations())).toEqual(["d", "a", "b", "c"]);
  },

  "ids are found by their beginning, sorted, in any case, up to a limit": async ({ open }) => {
    const archive = await open();
    await itemsOf(archive, ["Call2", "call1", "cALL3", "c%", "other", ...HOSTILE_IDS]);
    expect(await archive.beginningWith("CALL", 9)).toEqual(["call1", "Call2", "cALL3"]);
    expect(await archive.beginningWith("call", 2)).toEqual(["call1", "Call2"]);
    expect(await archive.beginningWith("c%", 9)).toEqual(["c%"]);
    expect(await archive.beginningWith("a_", 9)).toEqual(["a_"]);
    expect(await archive.beginningWith("zzzz", 9)).toEqual(["z".repeat(1024)]);
    expect(await archive.beginningWith("nothing", 9)).toEqual([]);
    expect((await archive.beginningWith("", 100)).length).toBe(5 + HOSTILE_IDS.length);
  },

  "a list has the calls that meet every condition, by start": async ({ open }) => {
    const archive = await open();
    await storeCalls(archive, ["a", "b", "c"], "one");
    await storeCalls(archive, ["d", "e", "f"], "two");
    const listed = await choose(archive, { instanceId: "g", agentId: "two", window: windowAt(-5) });
    await archive.commit([failure(listed.item, "missing")]);
    const ids = (filter: StoredFilter) => idsIn(archive.list(filter));
    expect(await ids({})).toEqual(["a", "d", "b", "e", "c", "f", "g"]);
    expect(await ids({ agents: ["one"] })).toEqual(["a", "b", "c"]);
    expect(await ids({ agents: ["one", "unknown", "two"] })).toEqual(await ids({}));
    expect(await ids({ agents: ["two"], since: new Date(at2025(1)), until: new Date(at2025(2)) })).toEqual(["e"]);
    expect(await ids({ states: ["missing"] })).toEqual(["g"]);
    expect(await ids({ states: ["missing", "fetched"], agents: ["two"] })).toEqual(["d", "e", "f", "g"]);
    expect(await ids({ states: ["failed"] })).toEqual([]);
    expect(await ids({ id: "B" })).toEqual(["b"]);
    expect(await ids({ id: "B", agents: ["two"] })).toEqual([]);
    expect(await ids({ limit: 3 })).toEqual(["a", "d", "b"]);
    expect(await ids({ limit: 1, states: ["missing"] })).toEqual(["g"]);
    expect(await ids({ limit: 0 })).toEqual([]);
    // For a call without a start the time counts in which it was listed.
    expect(await ids({ until: new Date(0) })).toEqual(["g"]);
  },

  "no agent and no state is a condition that no call meets": async ({ open }) => {
    const archive = await open();
    await storeCalls(archive, ["a", "b"], "one");
    expect(await idsIn(archive.list({ agents: [] }))).toEqual([]);
    expect(await idsIn(archive.list({ states: [] }))).toEqual([]);
    expect(await (await open()).selectStored({ states: [] })).toBe(0);
    expect(await archive.prune({ agents: [] })).toBe(0);
    expect(await archive.prune({ states: [], until: new Date("9999-01-01T00:00:00Z") })).toBe(0);
    expect(await idsIn(archive.list({ states: ["fetched"] }))).toEqual(["a", "b"]);
  },

  "a document that cannot be read is an error, and a tolerant list leaves it out": async ({ open, damage }) => {
    const writer = await open();
    await storeCalls(writer, ["a", "b"]);
    await writer.close();
    await damage();
    const archive = await open();
    await archive.selectStored({});
    const reads = [archive.conversations(), archive.rawConversations(), archive.list({}, { documents: true })];
    for (const batches of reads) await expectRefused(collect<unknown>(batches), /cannot be read/);
    await expectRefused(archive.find("a"), /cannot be read/);
    const tolerant = await collect(archive.list({}, { documents: true, tolerant: true }));
    expect(tolerant.map(({ id, state, document }) => [id, state, document])).toEqual([
      ["a", "fetched", undefined],
      ["b", "fetched", undefined],
    ]);
    expect(await idsIn(archive.list({}))).toEqual(["a", "b"]);
  },

  "a list has documents and metadata only when asked": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, "a");
    await archive.commit([fetched(item, "{}", { meta: { Status: "x", CallLogUrl: "https://logs/1" } })]);
    const [plain] = await collect(archive.list({}));
    expect([plain?.document, plain?.meta]).toEqual([undefined, undefined]);
    for (const tolerant of [false, true]) {
      const [full] = await collect(archive.list({}, { documents: true, tolerant }));
      expect([textOf(full), full?.meta?.Status]).toEqual(["{}", "x"]);
    }
  },
} satisfies Clauses;
