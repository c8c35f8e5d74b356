import fc from "fast-check";
import { expect } from "vitest";
import type { Ref, SelectedItem } from "../../../src/core/records.ts";
import { STATES } from "../../../src/core/state.ts";
import {
  at2025,
  type Clauses,
  choose,
  clock,
  collect,
  expectRefused,
  failure,
  fetched,
  HOSTILE_IDS,
  idsIn,
  itemsOf,
  storeCalls,
  windowAt,
} from "./contract.ts";

export const selecting = {
  "a call is selected once, whatever the case of its id, and begins as pending": async ({ open }) => {
    const archive = await open();
    const chosen = await archive.select([{ instanceId: "Abc" }, { instanceId: "aBC" }, { instanceId: "d" }]);
    expect(chosen.map(({ added }) => added)).toEqual([true, false, true]);
    expect(chosen[0]?.item).toBe(chosen[1]?.item);
    expect(chosen.map(({ id }) => id)).toEqual(["Abc", "Abc", "d"]);
    expect(chosen.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
    expect(await archive.select([])).toEqual([]);
  },

  "a batch is selected as its calls would be one by one": async ({ open }) => {
    const ref = fc.record(
      {
        instanceId: fc.constantFrom("a", "A", "b", "c", "\ud800"),
        link: fc.constantFrom("https://logs/1", "https://logs/2", "https://logs/3"),
        agentId: fc.constantFrom("one", "two"),
        window: fc.constantFrom(windowAt(0), windowAt(1)),
        status: fc.constantFrom("Finished", "Executing\udc00"),
      },
      { requiredKeys: [] },
    );
    const named = ref.filter(({ instanceId, link }) => instanceId !== undefined || link !== undefined);
    let round = 0;
    // All rounds share an archive, because a new one takes longer than the rest: each has ids and links of its own.
    const own = (refs: readonly Ref[]): Ref[] =>
      refs.map(({ instanceId, link, ...rest }) => ({
        ...rest,
        ...(instanceId !== undefined && { instanceId: `${instanceId}-${round}` }),
        ...(link !== undefined && { link: `${link}/${round}` }),
      }));
    await fc.assert(
      fc.asyncProperty(fc.array(named, { maxLength: 4 }), fc.array(named, { maxLength: 6 }), async (before, refs) => {
        const seen: unknown[] = [];
        for (const size of [1, refs.length || 1]) {
          round += 1;
          const archive = await open();
          await archive.select(own(before));
          const ownRefs = own(refs);
          const chosen: SelectedItem[] = [];
          for (let at = 0; at < refs.length; at += size)
            chosen.push(...(await archive.select(ownRefs.slice(at, at + size))));
          const numbers = chosen.map(({ item }) => item);
          const records = (await collect(archive.unsettled())).map(({ item: _, id, link, ...record }) => ({
            ...record,
            // Stand-in ids are of the links, which differ in each round.
            id: id.startsWith("link-") ? "link" : id.slice(0, id.lastIndexOf("-")),
            link: link?.slice(0, link.lastIndexOf("/")),
          }));
          const order = JSON.stringify;
          // Which of them are the same, not what their numbers are; times are those of the test.
          seen.push({
            same: numbers.map((item) => numbers.indexOf(item)),
            added: chosen.map(({ added }) => added),
            known: chosen.map(({ instanceId, state }) => ({ named: instanceId?.replace(/-\d+$/, ""), state })),
            records: records.toSorted((one, other) => (order(one) < order(other) ? -1 : 1)),
            counts: await archive.counts(),
          });
          await archive.close();
        }
        expect(seen[1]).toEqual(seen[0]);
      }),
      { numRuns: 40 },
    );
  },

  "ids that differ are different calls, come back as written, and are found as written": async ({ open }) => {
    const archive = await open();
    const chosen = await archive.select(HOSTILE_IDS.map((instanceId) => ({ instanceId })));
    expect(chosen.map(({ id }) => id)).toEqual(HOSTILE_IDS);
    expect(chosen.map(({ instanceId }) => instanceId)).toEqual(HOSTILE_IDS);
    expect(new Set(chosen.map(({ item }) => item)).size).toBe(HOSTILE_IDS.length);
    for (const [at, id] of HOSTILE_IDS.entries()) expect((await archive.find(id))?.item).toBe(chosen[at]?.item);
    expect((await idsIn(archive.list({}))).toSorted()).toEqual(HOSTILE_IDS.toSorted());
    expect(await archive.integrity()).toEqual([]);
  },

  "an id that is empty, or has a NUL or more than 1,024 bytes, is refused with its whole batch": async ({ open }) => {
    const archive = await open();
    for (const instanceId of ["", "a\u0000b", "x".repeat(1025), "长".repeat(342), "x".repeat(100_000)])
      await expectRefused(archive.select([{ instanceId: "good" }, { instanceId }]), /^UsageError: .{1,200}$/);
    expect(await idsIn(archive.list({}))).toEqual([]);
    const item = (await choose(archive, { link: "https://logs/1" })).item;
    for (const instanceId of ["", "a\u0000b", "x".repeat(100_000)])
      await expectRefused(archive.commit([fetched(item, "{}", { instanceId })]), /^UsageError: .{1,200}$/);
    expect((await archive.counts()).pending).toBe(1);
    expect(await archive.find("x".repeat(100_000))).toBeUndefined();
  },

  "lone surrogates of an id count as U+FFFD": async ({ open }) => {
    const archive = await open();
    expect((await choose(archive, "x\ud800")).id).toBe("x\ufffd");
    expect((await choose(archive, "x\udfff")).added).toBe(false);
    expect((await archive.find("X\udc00"))?.id).toBe("x\ufffd");
  },

  "a call is known by its link until its id is known, and by its stand-in id always": async ({ open }) => {
    const archive = await open();
    const link = "https://logs/1";
    const listed = await choose(archive, { link });
    expect(listed).toMatchObject({ added: true, state: "pending" });
    expect(listed.id).toMatch(/^link-[0-9a-f]{32}$/);
    expect(listed.instanceId).toBeUndefined();
    expect((await choose(archive, { link })).item).toBe(listed.item);
    expect((await choose(archive, { standIn: listed.id })).item).toBe(listed.item);
    await archive.commit([fetched(listed.item, "{}", { link, instanceId: "Named" })]);
    expect(await choose(archive, { standIn: listed.id })).toMatchObject({ item: listed.item, instanceId: "Named" });
    expect((await archive.find(listed.id.toUpperCase().replace("LINK", "link")))?.id).toBe("Named");
    // The link of an unknown stand-in id may be listed later.
    const unknown = await choose(archive, { standIn: `link-${"0".repeat(32)}` });
    expect(unknown).toMatchObject({ id: `link-${"0".repeat(32)}`, added: true });
  },

  "an item says when it was first selected, its failed fetches and its last error": async ({ open }) => {
    const { now, pass } = clock();
    const archive = await open(now);
    const { item, seenAt, attempts, described } = await choose(archive, "a");
    expect({ seenAt, attempts, described }).toEqual({ seenAt: now(), attempts: 0, described: false });
    pass(60);
    // The 72 hours of a call that has not ended begin with its first fetch.
    await archive.commit([failure(item, "open", "NotYet")]);
    const first = now();
    pass(60);
    await archive.commit([failure(item, "failed", "Late")]);
    expect(await choose(archive, "a")).toMatchObject({ seenAt: first, attempts: 2, code: "Late", state: "failed" });
    await archive.commit([fetched(item, "{}", { meta: { GmtCreate: "now" } })]);
    const stored = await choose(archive, "a");
    expect(stored).toMatchObject({ state: "fetched", described: true });
    expect(stored.code).toBeUndefined();
  },

  "a selection counts its calls by state, and ends with its connection": async ({ open }) => {
    const archive = await open();
    const [one = 0, two = 0] = await itemsOf(archive, ["a", "b", "c"]);
    expect(await archive.counts()).toEqual({ ...none, pending: 3 });
    await archive.commit([fetched(one, "{}"), failure(two, "missing")]);
    expect(await archive.counts()).toEqual({ ...none, pending: 1, fetched: 1, missing: 1 });
    const other = await open();
    expect(await other.counts()).toEqual(none);
    await archive.close();
    const again = await open();
    expect(await again.counts()).toEqual(none);
    expect(await collect(again.conversations())).toEqual([]);
    expect(await idsIn(again.list({}))).toHaveLength(3);
  },

  "stored calls are selected by agent, state, time, id and number, each once": async ({ open }) => {
    const writer = await open();
    await storeCalls(writer, ["a", "b", "c"], "one");
    const [, , failed = 0] = await storeCalls(writer, ["d", "e", "f"], "two");
    const [late = 0] = await itemsOf(writer, ["g"], "two");
    await writer.commit([failure(late, "failed")]);
    expect(failed).toBeGreaterThan(0);
    const selected = async (filter: Parameters<typeof writer.list>[0]): Promise<string[]> => {
      const archive = await open();
      const added = await archive.selectStored(filter);
      const ids = [...(await idsIn(archive.conversations())), ...(await idsIn(archive.unsettled()))];
      expect(added).toBe(ids.length);
      expect(await archive.selectStored(filter)).toBe(0);
      await archive.close();
      return ids;
    };
    expect(await selected({ agents: ["one"] })).toEqual(["a", "b", "c"]);
    expect(await selected({ states: ["failed", "missing"] })).toEqual(["g"]);
    expect(await selected({ since: new Date(at2025(1)), until: new Date(at2025(2)) })).toEqual(["b", "e"]);
    expect(await selected({ id: "B" })).toEqual(["b"]);
    expect(await selected({ limit: 2 })).toEqual(["a", "d"]);
    expect(await selected({ agents: [] })).toEqual([]);
    expect(await selected({})).toEqual(["a", "d", "b", "e", "c", "f", "g"]);
  },

  "look() and settled() tell of calls without selecting or changing anything": async ({ open }) => {
    const archive = await open();
    const link = "https://logs/1";
    const ids = ["fetched", "invalid", "pruned", "missing", "failed", "open", "acknowledged", "pending"];
    const [one = 0, two = 0, three = 0, four = 0, five = 0, six = 0, seven = 0] = await itemsOf(archive, ids);
    await archive.commit([
      fetched(one, "{}", { link }),
      { ...failure(two, "invalid"), document: { bytes: Buffer.from("x"), sha256: "00" } },
      fetched(three, "{}"),
      failure(four, "missing"),
      failure(five, "failed"),
      failure(six, "open"),
      failure(seven, "failed"),
    ]);
    await archive.prune({ id: "pruned" });
    await archive.acknowledge([seven]);
    const other = await open();
    const refs = [...ids.map((id) => ({ instanceId: id.toUpperCase() })), { instanceId: "?" }, { link }];
    const states = ["fetched", "invalid", "pruned", "missing", "failed", "open", "failed", "pending"];
    expect(await other.look(refs)).toEqual([...states, undefined, "fetched"]);
    const settled = [true, true, true, false, false, false, true, false];
    expect(await other.settled(refs)).toEqual([...settled, false, true]);
    expect(await other.counts()).toEqual(none);
    expect(await idsIn(other.list({}))).toHaveLength(ids.length);
  },
} satisfies Clauses;

const none = Object.fromEntries(STATES.map((state) => [state, 0]));
