import fc from "fast-check";
import { expect } from "vitest";
import type { Archive } from "../../../src/core/archive.ts";
import type { Outcome, Ref } from "../../../src/core/records.ts";
import { type Clauses, choose, collect, documentOf, failure, fetched, idsIn, textOf } from "./contract.ts";

interface CallLog {
  text: string;
  startedAt: string;
}

const links = ["1", "2", "3", "4"].map((at) => `https://logs.example/${at}.json`) as [string, string, string, string];
const start = (day: number): string => `2025-01-0${day}T00:00:00.000Z`;
const short: CallLog = { text: '{"n":0}', startedAt: start(2) };
// As long as `short`: their SHA-256 decides.
const equal: CallLog = { text: '{"n":1}', startedAt: start(2) };
const long: CallLog = { text: '{"number":2}', startedAt: start(1) };
const logs = [short, equal, long];

const from = (link: string, { text, startedAt }: CallLog, item: number): Outcome =>
  fetched(item, text, { instanceId: "Shared", link, startedAt });
const digest = (link: string): string => `link-${documentOf(link).sha256.slice(0, 32)}`;
const listed = async (archive: Archive, count: number): Promise<number[]> =>
  (await archive.select(links.slice(0, count).map((link) => ({ link, agentId: "agent" })))).map(({ item }) => item);
const texts = async (archive: Archive): Promise<string[]> =>
  (await collect(archive.list({}, { documents: true }))).map(
    (record) => `${record.id} ${record.state} ${textOf(record)}`,
  );

export const sameId = {
  "that differ are all kept: one has the id, the others are invalid, in any order of arrival": async ({ another }) => {
    for (const [first, second] of [
      [long, short],
      [short, long],
    ] as const) {
      const archive = await (await another()).open();
      const [one = 0, two = 0] = await listed(archive, 2);
      expect(await archive.commit([from(links[0], first, one)])).toEqual([]);
      const conflicts = await archive.commit([from(links[1], second, two)]);
      const loser = digest(first === long ? links[1] : links[0]);
      expect(conflicts).toMatchObject([{ id: loser, instanceId: "Shared" }]);
      expect(await archive.counts()).toMatchObject({ fetched: 1, invalid: 1, pending: 0 });
      expect(textOf(await archive.find("shared"))).toBe(long.text);
      const kept = await archive.find(loser);
      expect(kept).toMatchObject({ id: loser, state: "invalid", error: { code: "SameId" } });
      expect(textOf(kept)).toBe(short.text);
      // What comes of asking for it again in vain changes nothing.
      await archive.commit([failure(kept?.item ?? 0, "missing", "NoLink")]);
      expect((await archive.find(loser))?.error?.code).toBe("SameId");
    }
  },

  "give the same archive for any order, batches, runs and kind of request": async ({ another }) => {
    const shown = async (archive: Archive) => {
      const records = await collect(archive.list({}, { documents: true }));
      const byItem = new Map(records.map((record) => [record.item, record.id]));
      const found: (string | undefined)[] = [];
      for (const link of links) found.push(byItem.get((await choose(archive, { link })).item));
      return {
        found,
        records: records.map(({ id, state, error, startedAt, document }) => {
          return [id, state, error?.code, startedAt, textOf({ ...(document && { document }) })].join(" ");
        }),
      };
    };
    const logOfLinks = fc.array(fc.nat({ max: 2 }), { minLength: 4, maxLength: 4 });
    // Links as they are met, some of them again; -1 asks for the call by its id, and is answered with the first link.
    const order = fc
      .shuffledSubarray([0, 1, 2, 3, 0, 2, -1], { minLength: 7, maxLength: 7 })
      .chain((met) => fc.array(fc.nat({ max: 6 }), { maxLength: 6 }).map((cuts) => ({ met, cuts: new Set(cuts) })));
    await fc.assert(
      fc.asyncProperty(logOfLinks, order, order, fc.boolean(), async (logOfLink, one, other, reopens) => {
        const seen: unknown[] = [];
        for (const { met, cuts } of [one, other]) {
          const { open } = await another();
          let archive = await open();
          let batch: Outcome[] = [];
          for (const [at, which] of met.entries()) {
            const link = links[Math.max(0, which)] ?? "";
            const ref: Ref = which < 0 ? { instanceId: "Shared" } : { link, agentId: "agent" };
            const chosen = await choose(archive, ref);
            const isNew = chosen.state === "pending" && !batch.some(({ item }) => item === chosen.item);
            if (isNew) batch.push(from(link, logs[logOfLink[Math.max(0, which)] ?? 0] ?? short, chosen.item));
            if (!cuts.has(at)) continue;
            await archive.commit(batch);
            batch = [];
            if (!reopens) continue;
            await archive.close();
            archive = await open();
          }
          await archive.commit(batch);
          expect((await archive.counts()).pending).toBe(0);
          seen.push(await shown(archive));
          expect(new Set(logOfLink).size).toBe((await collect(archive.list({}))).length);
          await archive.close();
        }
        expect(seen[1]).toEqual(seen[0]);
      }),
      { numRuns: 25 },
    );
  },

  "are decided again when the document at one of their links has changed": async ({ open }) => {
    const archive = await open();
    const [one = 0, two = 0] = await listed(archive, 2);
    await archive.commit([from(links[0], long, one)]);
    await archive.commit([from(links[1], short, two)]);
    expect(await texts(archive)).toEqual(['Shared fetched {"number":2}', `${digest(links[1])} invalid {"n":0}`]);
    await archive.commit([from(links[0], { text: "later", startedAt: start(5) }, one)]);
    expect(await texts(archive)).toEqual(['Shared fetched {"n":0}', `${digest(links[0])} invalid later`]);
    await archive.commit([from(links[0], short, one)]);
    expect(await texts(archive)).toEqual(['Shared fetched {"n":0}']);
    // A run may still hold the number of an item that was united with another.
    await archive.commit([from(links[1], short, two)]);
    expect(await texts(archive)).toEqual(['Shared fetched {"n":0}']);
  },

  "without links are found by the ids that commit tells": async ({ open }) => {
    const archive = await open();
    const [one = 0, two = 0] = (await archive.select([{ instanceId: "one" }, { instanceId: "two" }])).map(
      ({ item }) => item,
    );
    await archive.commit([fetched(one, long.text, { instanceId: "Shared", startedAt: long.startedAt })]);
    const [conflict] = await archive.commit([
      fetched(two, short.text, { instanceId: "Shared", startedAt: short.startedAt }),
    ]);
    expect(textOf(await archive.find("shared"))).toBe(long.text);
    expect(textOf(await archive.find(conflict?.id ?? ""))).toBe(short.text);
    expect(await idsIn(archive.list({ id: conflict?.id ?? "" }))).toEqual([conflict?.id]);
    expect((await choose(archive, { standIn: conflict?.id ?? "" })).item).toBe(conflict?.item);
  },

  "are deleted together by the id that they share, with or without its source, but not by that of a chat session":
    async ({ another }) => {
      for (const [id, sources, deleted] of [
        ["shared", undefined, 2],
        ["calls:SHARED", undefined, 2],
        ["shared", ["calls"], 2],
        ["shared", ["chats"], 1],
      ] as const) {
        const archive = await (await another()).open();
        const [one = 0, two = 0] = await listed(archive, 2);
        await archive.commit([from(links[0], long, one)]);
        await archive.commit([from(links[1], short, two)]);
        if (sources?.[0] === "chats")
          await archive.addRecords([{ source: "chats", conversation: "shared", record: { id: "1", data: {} } }]);
        expect([id, await archive.prune({ id, ...(sources && { sources }) })]).toEqual([id, deleted]);
        const left = await idsIn(archive.list({ sources: ["calls"], states: ["fetched", "invalid"] }));
        expect([id, left.length]).toEqual([id, sources?.[0] === "chats" ? 2 : 0]);
      }
    },

  "requested by id at another link do not replace each other": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, "Shared");
    await archive.commit([from(links[0], short, item)]);
    const conflicts = await archive.commit([from(links[1], long, item)]);
    expect(conflicts).toMatchObject([{ id: digest(links[0]), instanceId: "Shared" }]);
    expect(await archive.counts()).toMatchObject({ fetched: 1, invalid: 1 });
    expect(textOf(await archive.find("shared"))).toBe('{"number":2}');
    // At its own link another document replaces it.
    await archive.commit([from(links[1], { text: "newer and longer", startedAt: start(1) }, item)]);
    expect(await idsIn(archive.list({}))).toEqual(["Shared", digest(links[0])]);
    expect(textOf(await archive.find("shared"))).toBe("newer and longer");
  },
} satisfies Clauses;
