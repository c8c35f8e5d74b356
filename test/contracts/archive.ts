import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { Archive } from "../../src/core/archive.ts";
import type { Document, Outcome, Ref, SelectedItem, StoredRecord } from "../../src/core/records.ts";

const documentOf = (text: string): Document => {
  const bytes = Buffer.from(text);
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
};

const collect = async (batches: AsyncIterable<StoredRecord[]>): Promise<StoredRecord[]> => {
  const all: StoredRecord[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
};

const fetched = (item: number, text: string, more: Partial<Outcome> = {}): Outcome => ({
  item,
  state: "fetched",
  document: documentOf(text),
  ...more,
});

/** What every archive does, whatever database is behind it. `open` gives the same archive again. */
export const archiveContract = (
  name: string,
  make: () => Promise<{ open: () => Promise<Archive>; clear: () => void }>,
) =>
  describe(`${name} keeps the archive's contract`, () => {
    const cleaners: (() => void | Promise<void>)[] = [];
    afterEach(async () => {
      for (const clean of cleaners.splice(0).toReversed()) await clean();
    });
    const place = async () => {
      const made = await make();
      cleaners.push(made.clear);
      return async (): Promise<Archive> => {
        const archive = await made.open();
        cleaners.push(() => archive.close().catch(() => undefined));
        return archive;
      };
    };

    test("a call is selected once, whatever the case of its id, and begins as pending", async () => {
      const archive = await (await place())();
      const chosen = await archive.select([{ instanceId: "Abc" }, { instanceId: "aBC" }, { instanceId: "d" }]);
      expect(chosen.map(({ added }) => added)).toEqual([true, false, true]);
      expect(chosen[0]?.item).toBe(chosen[1]?.item);
      expect(await archive.counts()).toMatchObject({ pending: 2, fetched: 0 });
    });

    test("a batch is selected as its calls would be one by one", async () => {
      const window = (hour: number) => ({ start: new Date(hour * 3.6e6), end: new Date((hour + 1) * 3.6e6) });
      const ref = fc.record(
        {
          instanceId: fc.constantFrom("a", "A", "b", "c", "\ud800"),
          link: fc.constantFrom("https://logs/1", "https://logs/2", "https://logs/3"),
          agentId: fc.constantFrom("one", "two"),
          window: fc.constantFrom(window(0), window(1)),
          status: fc.constantFrom("Finished", "Executing\udc00"),
        },
        { requiredKeys: [] },
      );
      const named = ref.filter(({ instanceId, link }) => instanceId !== undefined || link !== undefined);
      await fc.assert(
        fc.asyncProperty(fc.array(named, { maxLength: 4 }), fc.array(named, { maxLength: 6 }), async (before, refs) => {
          const seen: unknown[] = [];
          for (const size of [1, refs.length || 1]) {
            const archive = await (await place())();
            await archive.select(before);
            const chosen: SelectedItem[] = [];
            for (let at = 0; at < refs.length; at += size)
              chosen.push(...(await archive.select(refs.slice(at, at + size))));
            const records = (await collect(archive.list({}))).map(({ item, ...record }) => record);
            const numbers = chosen.map(({ item }) => item);
            // Which of them are the same, not what their numbers are; times are those of the test.
            seen.push({
              same: numbers.map((item) => numbers.indexOf(item)),
              added: chosen.map(({ added }) => added),
              known: chosen.map(({ instanceId, state }) => ({ instanceId, state })),
              records,
              counts: await archive.counts(),
            });
          }
          expect(seen[1]).toEqual(seen[0]);
        }),
        { numRuns: 40 },
      );
    });

    test("a batch is committed as its outcomes would be one by one", async () => {
      const window = { start: new Date(0), end: new Date(3.6e6) };
      const refs: Ref[] = [
        { instanceId: "a" },
        { instanceId: "b" },
        ...["1", "2", "3"].map((at) => ({ link: `https://logs/${at}`, agentId: "one", window })),
      ];
      const came = fc.record(
        {
          at: fc.nat({ max: refs.length - 1 }),
          state: fc.constantFrom("fetched", "open", "missing", "invalid", "failed"),
          text: fc.constantFrom("{}", '{"a":1}'),
          instanceId: fc.constantFrom("A", "b", "c"),
          link: fc.constantFrom("https://logs/1", "https://logs/2", "https://logs/4"),
          meta: fc.constantFrom({ Status: "Finished" }, { CallLogUrl: "https://logs/1", GmtCreate: "x" }),
        },
        { requiredKeys: ["at", "state", "text"] },
      );
      // Of one item there is one outcome at a time.
      const round = fc.uniqueArray(came, { selector: ({ at }) => at, maxLength: refs.length });
      await fc.assert(
        fc.asyncProperty(fc.array(round, { maxLength: 3 }), async (rounds) => {
          const seen: unknown[] = [];
          for (const size of [1, refs.length]) {
            const archive = await (await place())();
            for (const outcomes of rounds) {
              // As a later run would: what was united is one item now.
              const items = (await archive.select(refs)).map(({ item }) => item);
              const all = outcomes.map(({ at, state, text, ...more }): Outcome => {
                const has = state === "fetched" || state === "invalid";
                const error = state === "fetched" ? undefined : { code: "X", message: text };
                const item = items[at] ?? 0;
                return { item, state, ...more, ...(has && { document: documentOf(text) }), ...(error && { error }) };
              });
              const once = all.filter(({ item }, at) => all.findIndex((other) => other.item === item) === at);
              for (let at = 0; at < once.length; at += size) await archive.commit(once.slice(at, at + size));
            }
            const records = await collect(archive.list({}, { documents: true }));
            seen.push(records.map(({ item, error, ...record }) => ({ ...record, error: error?.code })));
          }
          expect(seen[1]).toEqual(seen[0]);
        }),
        { numRuns: 40 },
      );
    });

    test("a committed document is there after closing and opening, byte for byte", async () => {
      const open = await place();
      const archive = await open();
      const [one] = await archive.select([{ instanceId: "a", agentId: "agent" }]);
      await archive.commit([
        fetched(one?.item ?? 0, "{}\n\u0000长", {
          startedAt: "2025-01-01T00:00:00.000Z",
          meta: { Status: "Finished" },
        }),
      ]);
      await archive.close();
      const again = await open();
      expect(await again.beginningWith("A", 9)).toEqual(["a"]);
      expect(await again.beginningWith("b%_", 9)).toEqual([]);
      expect(await again.find("A")).toMatchObject({
        id: "a",
        state: "fetched",
        agentId: "agent",
        startedAt: "2025-01-01T00:00:00.000Z",
        meta: { Status: "Finished" },
        document: { sha256: documentOf("{}\n\u0000长").sha256 },
      });
      expect(Buffer.from((await again.find("a"))?.document?.bytes ?? []).toString()).toBe("{}\n\u0000长");
      expect(await again.counts()).toMatchObject({ fetched: 0 });
      expect((await again.select([{ instanceId: "a" }]))[0]?.state).toBe("fetched");
    });

    test("a selection ends with its connection", async () => {
      const open = await place();
      const archive = await open();
      await archive.select([{ instanceId: "a" }]);
      await archive.close();
      const again = await open();
      expect(Object.values(await again.counts()).every((n) => n === 0)).toBe(true);
      expect(await collect(again.list({}))).toHaveLength(1);
    });

    test("records come by start, then id, whatever order they were committed in", async () => {
      const archive = await (await place())();
      const refs = ["c", "b", "a", "d"].map((instanceId) => ({ instanceId }));
      const items = await archive.select(refs);
      const starts = [
        "2025-01-02T00:00:00.000Z",
        "2025-01-01T00:00:00.000Z",
        "2025-01-01T00:00:00.000Z",
        "2025-01-03T00:00:00.000Z",
      ];
      await archive.commit(items.map(({ item }, at) => fetched(item, `{"n":${at}}`, { startedAt: starts[at] ?? "" })));
      expect((await collect(archive.records())).map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
    });

    test("a listed call that is already known is merged into the known item", async () => {
      const archive = await (await place())();
      const [byId] = await archive.select([{ instanceId: "Known" }]);
      await archive.commit([fetched(byId?.item ?? 0, "first")]);
      const link = "https://logs.example/one.json";
      const [listed] = await archive.select([{ link, agentId: "agent" }]);
      expect(listed?.added).toBe(true);
      await archive.commit([fetched(listed?.item ?? 0, "first", { instanceId: "kNOWN", link })]);
      expect(await archive.counts()).toMatchObject({ fetched: 1, pending: 0 });
      expect(await archive.find("known")).toMatchObject({ id: "kNOWN", link, agentId: "agent" });
      const [again] = await archive.select([{ link }]);
      expect(again).toMatchObject({ item: byId?.item, state: "fetched", added: false });
    });

    test("two links of one call are one item", async () => {
      const archive = await (await place())();
      const links = ["https://logs.example/1.json", "https://logs.example/2.json"];
      const items = await archive.select(links.map((link) => ({ link, agentId: "agent" })));
      await archive.commit(
        items.map(({ item }, at) => fetched(item, "same", { instanceId: "one", link: links[at] ?? "" })),
      );
      expect(await archive.counts()).toMatchObject({ fetched: 1, pending: 0 });
      expect(await collect(archive.records())).toHaveLength(1);
    });

    test("a call without an id has a stand-in id made of its link", async () => {
      const archive = await (await place())();
      const link = "https://logs.example/nameless.json";
      const [one] = await archive.select([{ link }]);
      await archive.commit([fetched(one?.item ?? 0, "{}", { link })]);
      const [record] = await collect(archive.records());
      expect(record?.id).toMatch(/^link-[0-9a-f]{32}$/);
      expect((await archive.find(record?.id ?? ""))?.item).toBe(one?.item);
    });

    test("a failure never replaces a good document", async () => {
      const archive = await (await place())();
      const [one] = await archive.select([{ instanceId: "a" }]);
      const item = one?.item ?? 0;
      await archive.commit([fetched(item, "good")]);
      await archive.commit([{ item, state: "failed", error: { code: "X", message: "later" } }]);
      await archive.commit([{ item, state: "invalid", document: documentOf("bad") }]);
      expect(await archive.find("a")).toMatchObject({ state: "fetched" });
      expect(Buffer.from((await archive.find("a"))?.document?.bytes ?? []).toString()).toBe("good");
      await archive.commit([fetched(item, "better")]);
      expect(Buffer.from((await archive.find("a"))?.document?.bytes ?? []).toString()).toBe("better");
    });

    test("a pruned call stays pruned, also when it is listed with another link", async () => {
      const archive = await (await place())();
      const [one] = await archive.select([{ instanceId: "a" }]);
      await archive.commit([fetched(one?.item ?? 0, "secret")]);
      await archive.prune({ id: "a" });
      await archive.commit([fetched(one?.item ?? 0, "secret")]);
      const link = "https://logs.example/a.json";
      const [listed] = await archive.select([{ link, agentId: "agent" }]);
      await archive.commit([fetched(listed?.item ?? 0, "secret", { instanceId: "A", link })]);
      expect((await archive.find("a"))?.state).toBe("pruned");
      expect((await archive.find("a"))?.document).toBeUndefined();
      expect((await archive.select([{ link }]))[0]?.state).toBe("pruned");
      expect(await collect(archive.list({}))).toHaveLength(1);
    });

    test("an error is kept with code, request id and time, and gone after success", async () => {
      const archive = await (await place())();
      const [one] = await archive.select([{ instanceId: "a" }]);
      const item = one?.item ?? 0;
      await archive.commit([
        { item, state: "failed", error: { code: "InternalError", message: "m", requestId: "R", status: 500 } },
      ]);
      const [record] = await collect(archive.unsettled());
      expect(record).toMatchObject({ state: "failed", error: { code: "InternalError", requestId: "R", status: 500 } });
      expect(Date.parse(record?.error?.at ?? "")).not.toBeNaN();
      await archive.commit([fetched(item, "good")]);
      expect((await archive.find("a"))?.error).toBeUndefined();
    });

    test("an invalid document keeps its bytes and is not among the records", async () => {
      const archive = await (await place())();
      const [one] = await archive.select([{ instanceId: "a" }]);
      const error = { code: "NotJson", message: "not JSON" };
      await archive.commit([{ item: one?.item ?? 0, state: "invalid", document: documentOf("<html>"), error }]);
      expect(await collect(archive.records())).toEqual([]);
      expect(Buffer.from((await archive.find("a"))?.document?.bytes ?? []).toString()).toBe("<html>");
    });

    test("stored calls are selected by agent, by time, by id and up to a limit", async () => {
      const archive = await (await place())();
      const items = await archive.select([
        { instanceId: "a", agentId: "one" },
        { instanceId: "b", agentId: "two" },
        { instanceId: "c", agentId: "one" },
      ]);
      const day = (at: number): string => `2025-01-0${at + 1}T00:00:00.000Z`;
      await archive.commit(items.map(({ item }, at) => fetched(item, "{}", { startedAt: day(at) })));
      const ids = async (filter: Parameters<Archive["list"]>[0]) =>
        (await collect(archive.list(filter))).map(({ id }) => id);
      expect(await ids({ agents: ["one"] })).toEqual(["a", "c"]);
      expect(await ids({ since: new Date(day(1)), until: new Date(day(2)) })).toEqual(["b"]);
      expect(await ids({ id: "B" })).toEqual(["b"]);
      expect(await ids({ limit: 2 })).toEqual(["a", "b"]);
      expect(await ids({ states: ["failed"] })).toEqual([]);
    });

    test("look() returns states without selecting or changing", async () => {
      const archive = await (await place())();
      const [one] = await archive.select([{ instanceId: "a" }]);
      await archive.commit([fetched(one?.item ?? 0, "{}", { link: "https://logs.example/a" })]);
      const refs = [{ instanceId: "A" }, { instanceId: "zz" }, { link: "https://logs.example/a" }];
      expect(await archive.look(refs)).toEqual(["fetched", undefined, "fetched"]);
      expect(await collect(archive.list({}))).toHaveLength(1);
    });

    describe("call logs of one instance id", () => {
      const links = ["1", "2", "3", "4"].map((at) => `https://logs.example/${at}.json`);
      const start = (day: number): string => `2025-01-0${day}T00:00:00.000Z`;
      // Two of them begin at the same time: their SHA-256 decides.
      const documents = [0, 1, 2].map((n) => ({ text: `{"n":${n}}`, startedAt: start(n === 2 ? 1 : 2) }));
      const from = (link: string, document: (typeof documents)[number] | undefined, item: number): Outcome =>
        fetched(item, document?.text ?? "", { instanceId: "Shared", link, startedAt: document?.startedAt ?? start(9) });
      const digest = (link: string): string => `link-${createHash("sha256").update(link).digest("hex").slice(0, 32)}`;
      const shown = async (archive: Archive) => {
        const records = await collect(archive.list({}, { documents: true }));
        const byItem = new Map(records.map((record) => [record.item, record.id]));
        const found: (string | undefined)[] = [];
        for (const link of links) found.push(byItem.get((await archive.select([{ link }]))[0]?.item ?? 0));
        return {
          found,
          records: records.map(({ id, state, error, startedAt, document }) => {
            return [id, state, error?.code, startedAt, Buffer.from(document?.bytes ?? []).toString()].join(" ");
          }),
        };
      };

      test("that differ are all kept: one has the id, the others are invalid, in any order of arrival", async () => {
        const [early, late] = [documents[2], documents[0]];
        for (const [first, second] of [
          [early, late],
          [late, early],
        ]) {
          const archive = await (await place())();
          const items = await archive.select(links.slice(0, 2).map((link) => ({ link, agentId: "agent" })));
          const [one = "", other = ""] = links;
          expect(await archive.commit([from(one, first, items[0]?.item ?? 0)])).toEqual([]);
          const conflicts = await archive.commit([from(other, second, items[1]?.item ?? 0)]);
          const loser = digest(first === early ? other : one);
          expect(conflicts).toMatchObject([{ id: loser, instanceId: "Shared" }]);
          expect(await archive.counts()).toMatchObject({ fetched: 1, invalid: 1, pending: 0 });
          expect(Buffer.from((await archive.find("shared"))?.document?.bytes ?? []).toString()).toBe(early?.text);
          const kept = await archive.find(loser);
          expect(kept).toMatchObject({ id: loser, state: "invalid", error: { code: "SameId" } });
          expect(Buffer.from(kept?.document?.bytes ?? []).toString()).toBe(late?.text);
          // What comes of asking for it again in vain changes nothing.
          const error = { code: "NoLink", message: "gone" };
          await archive.commit([{ item: kept?.item ?? 0, state: "missing", error }]);
          expect((await archive.find(loser))?.error?.code).toBe("SameId");
        }
      });

      test("give the same archive for any order, batches, runs and kind of request", async () => {
        const leads = fc.array(fc.nat({ max: 2 }), { minLength: 4, maxLength: 4 });
        // Links as they are met, some of them again; -1 asks for the call by its id, and is answered with the first link.
        const order = fc
          .shuffledSubarray([0, 1, 2, 3, 0, 2, -1], { minLength: 7, maxLength: 7 })
          .chain((met) => fc.array(fc.nat({ max: 6 }), { maxLength: 6 }).map((cuts) => ({ met, cuts: new Set(cuts) })));
        await fc.assert(
          fc.asyncProperty(leads, order, order, fc.boolean(), async (documentOfLink, one, other, reopens) => {
            const seen: unknown[] = [];
            for (const { met, cuts } of [one, other]) {
              const open = await place();
              let archive = await open();
              let batch: Outcome[] = [];
              for (const [at, which] of met.entries()) {
                const link = links[Math.max(0, which)] ?? "";
                const ref: Ref = which < 0 ? { instanceId: "Shared" } : { link, agentId: "agent" };
                const [chosen] = await archive.select([ref]);
                const isNew = chosen?.state === "pending" && !batch.some(({ item }) => item === chosen.item);
                if (isNew) batch.push(from(link, documents[documentOfLink[Math.max(0, which)] ?? 0], chosen.item));
                if (!cuts.has(at)) continue;
                await archive.commit(batch);
                batch = [];
                if (!reopens) continue;
                await archive.close();
                archive = await open();
              }
              await archive.commit(batch);
              const counts = await archive.counts();
              expect(counts.pending).toBe(0);
              seen.push(await shown(archive));
              expect(new Set(documentOfLink).size).toBe((await collect(archive.list({}))).length);
              await archive.close();
            }
            expect(seen[1]).toEqual(seen[0]);
          }),
          { numRuns: 25 },
        );
      });

      test("are decided again when the document at one of their links has changed", async () => {
        const archive = await (await place())();
        const items = await archive.select(links.slice(0, 2).map((link) => ({ link, agentId: "agent" })));
        const [one, other] = items.map(({ item }) => item);
        const commit = (at: number, document: (typeof documents)[number] | undefined) =>
          archive.commit([from(links[at] ?? "", document, (at === 0 ? one : other) ?? 0)]);
        const texts = async () =>
          (await collect(archive.list({}, { documents: true }))).map(({ id, state, document }) =>
            [id, state, Buffer.from(document?.bytes ?? []).toString()].join(" "),
          );
        await commit(0, documents[2]);
        await commit(1, documents[0]);
        expect(await texts()).toEqual(['Shared fetched {"n":2}', `${digest(links[1] ?? "")} invalid {"n":0}`]);
        await commit(0, { text: "later", startedAt: start(5) });
        expect(await texts()).toEqual(['Shared fetched {"n":0}', `${digest(links[0] ?? "")} invalid later`]);
        await commit(0, documents[0]);
        expect(await texts()).toEqual(['Shared fetched {"n":0}']);
        // A run may still hold the number of an item that was united with another.
        await commit(1, documents[0]);
        expect(await texts()).toEqual(['Shared fetched {"n":0}']);
      });

      test("requested by id at another link do not replace each other", async () => {
        const archive = await (await place())();
        const [byId] = await archive.select([{ instanceId: "Shared" }]);
        await archive.commit([from(links[0] ?? "", documents[0], byId?.item ?? 0)]);
        const conflicts = await archive.commit([from(links[1] ?? "", documents[2], byId?.item ?? 0)]);
        expect(conflicts).toMatchObject([{ id: digest(links[0] ?? ""), instanceId: "Shared" }]);
        expect(await archive.counts()).toMatchObject({ fetched: 1, invalid: 1 });
        expect(Buffer.from((await archive.find("shared"))?.document?.bytes ?? []).toString()).toBe('{"n":2}');
        // At its own link another document replaces it.
        await archive.commit([
          from(links[1] ?? "", { text: "newer and longer", startedAt: start(1) }, byId?.item ?? 0),
        ]);
        expect((await collect(archive.list({}))).map(({ id }) => id)).toEqual(["Shared", digest(links[0] ?? "")]);
        expect(Buffer.from((await archive.find("shared"))?.document?.bytes ?? []).toString()).toBe("newer and longer");
      });
    });

    test("runs are recorded, also those that did not end", async () => {
      const archive = await (await place())();
      const begun = { version: "1", startedAt: "2025-01-01T00:00:00.000Z", detail: { agents: ["a"] } };
      const first = await archive.beginRun({ command: "pull", ...begun });
      await archive.beginRun({ command: "export", ...begun });
      await archive.endRun(first, { endedAt: "2025-01-01T00:01:00.000Z", exitCode: 3, detail: { selected: 1 } });
      const runs = await archive.lastRuns();
      expect(runs.map(({ command, exitCode }) => [command, exitCode])).toEqual([
        ["export", undefined],
        ["pull", 3],
      ]);
    });
  });
