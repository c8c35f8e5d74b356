import fc from "fast-check";
import { expect } from "vitest";
import type { Archive } from "../../../src/core/archive.ts";
import type { Arrival, StoredConversation } from "../../../src/core/records.ts";
import { type Clauses, choose, collect, failure, fetched, idsIn } from "./contract.ts";

/** The time of all calls: minutes after this. */
const T0 = Date.parse("2025-07-14T00:00:00Z");
const minute = (n: number): Date => new Date(T0 + n * 60_000);
const dayAfter = (): Date => new Date(T0 + 86_400_000);

const callback = (call: string, id: string, at: number): Arrival => ({
  source: "calls",
  conversation: call,
  record: { source: "callbacks", id: `${call.toLowerCase()}/${id}`, at: minute(at), data: { call, id, at } },
});

const dialogue = (session: string, id: string, at: number, inCall = true): Arrival => ({
  source: "dialogues",
  conversation: session,
  record: { id: `${session}/${id}`, at: minute(at), data: { session, id, at, inCall }, ...(inCall && { inCall }) },
});

/** What describe says of a call, as the archive's adapter in these tests reads it. */
const metaOf = (session: string, from: number, to: number) => ({
  GmtCreate: minute(from).toISOString(),
  SessionId: session,
  Start: minute(from).toISOString(),
  End: minute(to).toISOString(),
});

const storeLog = async (archive: Archive, id: string, session: string, from: number, to: number): Promise<void> => {
  const { item } = await choose(archive, { link: `https://logs.example/${id}` });
  await archive.commit([
    fetched(item, `{"log of":"${id}"}`, {
      instanceId: id,
      link: `https://logs.example/${id}`,
      startedAt: minute(from).toISOString(),
      meta: metaOf(session, from, to),
    }),
  ]);
};

const all = (archive: Archive): Promise<StoredConversation[]> => collect(archive.list({}, { documents: true }));

/** Of each conversation: its id, whether it has a log, and its records. */
const places = async (archive: Archive) =>
  (await all(archive)).map(({ id, source, state, startedAt, records = [], document, further }) => ({
    id: `${source}:${id}`,
    state,
    startedAt,
    log: document !== undefined && document.bytes !== further,
    records: records.map((record) => record.id),
  }));

export const callRecords = {
  "without a call log make a conversation that is settled by the time of its last record": async ({ open }) => {
    const archive = await open(() => minute(20));
    await archive.addRecords([callback("A", "2", 2), callback("a", "1", 1), callback("b", "1", 0)]);
    expect(await places(archive)).toEqual([
      { id: "calls:b", state: "open", startedAt: minute(0).toISOString(), log: false, records: ["b/1"] },
      { id: "calls:a", state: "open", startedAt: minute(1).toISOString(), log: false, records: ["a/1", "a/2"] },
    ]);
    const later = await open(() => minute(31));
    await later.selectStored({});
    expect(await later.counts()).toMatchObject({ open: 1, fetched: 1, pending: 0 });
    expect(await later.counts({ logs: true })).toMatchObject({ pending: 2 });
    expect(await idsIn(later.conversations())).toEqual(["b"]);
    expect(await idsIn(later.unsettled())).toEqual(["a"]);
    expect((await collect(later.unsettled({ logs: true }))).map(({ state }) => state)).toEqual(["pending", "pending"]);
    expect((await later.summary()).counts).toMatchObject({ open: 1, fetched: 1, pending: 0 });
    expect(await idsIn(later.list({ states: ["open"] }))).toEqual(["a"]);
    expect(await idsIn(later.list({ states: ["pending"] }))).toEqual([]);
  },

  "are with the log, whichever came first, and the log's start counts": async ({ another }) => {
    const orders = [
      async (archive: Archive) => {
        await archive.addRecords([callback("Call-1", "1", 3)]);
        await storeLog(archive, "Call-1", "s", 1, 5);
      },
      async (archive: Archive) => {
        await storeLog(archive, "Call-1", "s", 1, 5);
        await archive.addRecords([callback("CALL-1", "1", 3)]);
      },
    ];
    for (const order of orders) {
      const archive = await (await another()).open(dayAfter);
      await order(archive);
      expect((await places(archive)).map(({ records: _, ...rest }) => rest)).toEqual([
        { id: "calls:Call-1", state: "fetched", startedAt: minute(1).toISOString(), log: true },
      ]);
      expect(await archive.integrity()).toEqual([]);
    }
  },

  "of a call whose log is missing are its transcript, and the log is reported all the same": async ({ open }) => {
    const archive = await open(dayAfter);
    await archive.addRecords([callback("a", "1", 1)]);
    const { item } = await choose(archive, "a");
    await archive.commit([failure(item, "missing", "NoSuchKey")]);
    expect(await archive.counts()).toMatchObject({ fetched: 1, missing: 0 });
    expect(await archive.counts({ logs: true })).toMatchObject({ fetched: 0, missing: 1 });
    expect(await archive.trouble()).toEqual({ known: 0, acknowledged: 0 });
    await archive.acknowledge([item]);
    expect(await archive.trouble()).toEqual({ known: 0, acknowledged: 0 });
    expect(await archive.trouble({ logs: true })).toEqual({ known: 0, acknowledged: 1 });
    expect(await collect(archive.unsettled({ logs: true }))).toMatchObject([{ state: "missing" }]);
    expect(await idsIn(archive.conversations())).toEqual(["a"]);
  },

  "tell what is at risk: call logs that are not there, with the oldest": async ({ open }) => {
    const archive = await open(dayAfter);
    expect(await archive.atRisk()).toEqual([]);
    await archive.addRecords([callback("b", "1", 2), callback("a", "1", 1)]);
    const { item } = await choose(archive, "a");
    expect(await archive.atRisk()).toEqual([{ what: "call-logs", count: 2, oldest: minute(1) }]);
    await archive.commit([failure(item, "failed")]);
    expect(await archive.atRisk()).toMatchObject([{ count: 2 }]);
    await archive.acknowledge([item]);
    expect(await archive.atRisk()).toEqual([{ what: "call-logs", count: 1, oldest: minute(2) }]);
    const media = [{ kind: "sentence", place: "oss://b/1" }] as const;
    await archive.addRecords([{ ...callback("c", "1", 3), record: { ...callback("c", "1", 3).record, media } }]);
    await archive.addMedia([{ kind: "recording", place: "oss://b/2" }]);
    expect(await archive.atRisk()).toEqual([
      { what: "call-logs", count: 2, oldest: minute(2) },
      { what: "audio", count: 1, oldest: minute(3) },
      { what: "recordings", count: 1 },
    ]);
  },

  "are deleted with their call, and dropped when they come again": async ({ open }) => {
    const archive = await open(dayAfter);
    await archive.addRecords([callback("a", "1", 1), callback("b", "1", 1)]);
    expect(await archive.prune({ id: "A" })).toBe(1);
    expect(await archive.addRecords([callback("a", "1", 1), callback("a", "2", 2)])).toEqual(["dropped", "dropped"]);
    expect((await places(archive)).filter(({ records }) => records.length > 0).map(({ id }) => id)).toEqual([
      "calls:b",
    ]);
  },

  "that are dialogues belong to the call of their session that was running, whichever came first": async ({
    another,
  }) => {
    const logs: ((archive: Archive) => Promise<void>)[] = [
      (archive) => storeLog(archive, "one", "s", 10, 20),
      (archive) => storeLog(archive, "two", "s", 30, 40),
      (archive) => storeLog(archive, "other", "t", 0, 100),
    ];
    const said = [
      dialogue("s", "a", 10),
      dialogue("s", "b", 20),
      dialogue("s", "c", 35),
      dialogue("s", "d", 25),
      dialogue("s", "e", 15, false),
      dialogue("u", "f", 15),
    ];
    const steps = [...logs, ...said.map((each) => async (archive: Archive) => void (await archive.addRecords([each])))];
    const run = async (order: readonly number[]) => {
      const archive = await (await another()).open(dayAfter);
      await archive.indexSessions();
      for (const at of order) await steps[at]?.(archive);
      expect(await archive.integrity()).toEqual([]);
      return places(archive);
    };
    const natural = await run(steps.map((_, at) => at));
    expect(natural.map(({ id, records }) => [id, records])).toEqual([
      ["calls:other", []],
      ["calls:one", ["s/a", "s/b"]],
      ["dialogues:s", ["s/e", "s/d"]],
      ["dialogues:u", ["u/f"]],
      ["calls:two", ["s/c"]],
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...steps.keys()], { minLength: steps.length }),
        async (order) => void expect(await run(order)).toEqual(natural),
      ),
      { numRuns: 12 },
    );
  },

  "that are dialogues find calls that were stored before any of them, and move when a call is described": async ({
    open,
  }) => {
    const archive = await open(dayAfter);
    await storeLog(archive, "one", "s", 10, 20);
    const { item } = await choose(archive, "late");
    await archive.commit([fetched(item, "{}", { startedAt: minute(30).toISOString() })]);
    await archive.indexSessions();
    await archive.indexSessions();
    expect(await archive.addRecords([dialogue("s", "a", 12), dialogue("s", "b", 32)])).toEqual(["added", "added"]);
    expect((await places(archive)).map(({ id }) => id)).toEqual(["calls:one", "calls:late", "dialogues:s"]);
    await archive.commit([{ item, state: "fetched", meta: metaOf("s", 30, 40) }]);
    const moved = await places(archive);
    expect(moved.map(({ id, records }) => [id, records])).toEqual([
      ["calls:one", ["s/a"]],
      ["calls:late", ["s/b"]],
    ]);
    expect(await archive.addRecords([dialogue("s", "b", 32)])).toEqual(["repeated"]);
    expect(await places(archive)).toEqual(moved);
  },

  "that are dialogues: it is kept when their session was listed, and never set back": async ({ open }) => {
    const archive = await open(dayAfter);
    expect(await archive.sessionListedAt("s")).toBeUndefined();
    await archive.setSessionListed("s", minute(2));
    await archive.setSessionListed("s", minute(1));
    await archive.setSessionListed("t", minute(3));
    expect(await (await open(dayAfter)).sessionListedAt("s")).toEqual(minute(2));
  },

  "that are dialogues of a deleted call are dropped, also when it was deleted before the first of them": async ({
    open,
  }) => {
    const archive = await open(dayAfter);
    await storeLog(archive, "one", "s", 10, 20);
    await archive.prune({ id: "one" });
    await archive.indexSessions();
    expect(await archive.addRecords([dialogue("s", "a", 12), dialogue("s", "b", 25)])).toEqual(["dropped", "added"]);
    expect((await places(archive)).flatMap(({ records }) => records)).toEqual(["s/b"]);
  },
} satisfies Clauses;
