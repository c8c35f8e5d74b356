import fc from "fast-check";
import { expect } from "vitest";
import type { Outcome, Ref } from "../../../src/core/records.ts";
import {
  type Clauses,
  choose,
  clock,
  collect,
  documentOf,
  expectRefused,
  failure,
  fetched,
  HOSTILE_TEXT,
  idsIn,
  itemsOf,
  textOf,
  windowAt,
} from "./contract.ts";

export const committing = {
  "a committed document is there for other connections and after closing, byte for byte": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, { instanceId: "a", agentId: "agent" });
    const text = "{}\n\u0000长";
    const startedAt = "2025-01-01T00:00:00.000Z";
    await archive.commit([fetched(item, text, { startedAt, meta: { Status: "Finished" } })]);
    const expected = { id: "a", state: "fetched", agentId: "agent", startedAt, meta: { Status: "Finished" } };
    const other = await open();
    expect(await other.find("A")).toMatchObject(expected);
    await other.close();
    await archive.close();
    const again = await open();
    expect(await again.find("A")).toMatchObject({ ...expected, document: { sha256: documentOf(text).sha256 } });
    expect(textOf(await again.find("a"))).toBe(text);
    expect((await choose(again, "a")).state).toBe("fetched");
  },

  "any bytes come back as they were, also many and none": async ({ open }) => {
    const archive = await open();
    const all = [
      Buffer.from([0xff, 0xfe, 0, 0x80]),
      Buffer.alloc(0),
      Buffer.alloc(2_000_000, "long "),
      Buffer.from(HOSTILE_TEXT),
      ...Array.from({ length: 300 }, (_, at) => Buffer.from(`{"n":${at}}`)),
    ];
    const ids = all.map((_, at) => `id${at}`);
    const items = await itemsOf(archive, ids);
    await archive.commit(
      items.map((item, at) => {
        const bytes = all[at] ?? Buffer.alloc(0);
        return { item, state: "fetched", document: { bytes, sha256: documentOf(bytes.toString("hex")).sha256 } };
      }),
    );
    const stored = new Map((await collect(archive.conversations())).map(({ id, document }) => [id, document]));
    for (const [at, id] of ids.entries()) {
      const bytes = all[at] ?? Buffer.alloc(0);
      expect(Buffer.from(stored.get(id)?.bytes ?? "?").equals(bytes), id).toBe(true);
      expect(stored.get(id)?.sha256).toBe(documentOf(bytes.toString("hex")).sha256);
    }
  },

  "all outcomes of a commit are stored, in whatever order": async ({ open }) => {
    const archive = await open();
    const items = await itemsOf(archive, ["a", "b", "c"]);
    await archive.commit(items.toReversed().map((item, at) => fetched(item, `${at}`)));
    expect(await Promise.all(["a", "b", "c"].map(async (id) => textOf(await archive.find(id))))).toEqual([
      "2",
      "1",
      "0",
    ]);
  },

  "all outcomes of a commit are stored, or none": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, "a");
    await expectRefused(archive.commit([fetched(item, "good"), fetched(item + 1000, "unknown")]), /Error/);
    expect(await archive.find("a")).toMatchObject({ state: "pending" });
    expect(textOf(await archive.find("a"))).toBeUndefined();
    await archive.commit([fetched(item, "later")]);
    expect(textOf(await archive.find("a"))).toBe("later");
  },

  "a batch is committed as its outcomes would be one by one": async ({ open }) => {
    let round = 0;
    const came = fc.record(
      {
        at: fc.nat({ max: 4 }),
        state: fc.constantFrom("fetched", "open", "missing", "invalid", "failed"),
        text: fc.constantFrom("{}", '{"a":1}'),
        instanceId: fc.constantFrom("A", "b", "c"),
        link: fc.constantFrom("1", "2", "4"),
        meta: fc.constantFrom({ Status: "Finished" }, { GmtCreate: "x" }),
      },
      { requiredKeys: ["at", "state", "text"] },
    );
    // Of one item there is one outcome at a time.
    const outcomesOfRound = fc.uniqueArray(came, { selector: ({ at }) => at, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(outcomesOfRound, { maxLength: 3 }), async (rounds) => {
        const seen: unknown[] = [];
        for (const size of [1, 5]) {
          round += 1;
          // Of one length, so that the order of ids and links is the same in each round.
          const tag = String(round).padStart(4, "0");
          const linkOf = (at: string): string => `https://logs/${tag}/${at}`;
          const refs: Ref[] = [
            { instanceId: `a-${tag}` },
            { instanceId: `b-${tag}` },
            ...["1", "2", "3"].map((at) => ({ link: linkOf(at), agentId: "one", window: windowAt(0) })),
          ];
          const archive = await open();
          for (const outcomes of rounds) {
            // As a later run would: what was united is one item now.
            const items = (await archive.select(refs)).map(({ item }) => item);
            const all = outcomes.map(({ at, state, text, instanceId, link, meta }): Outcome => {
              const has = state === "fetched" || state === "invalid";
              const error = state === "fetched" ? undefined : { code: "X", message: text };
              return {
                item: items[at] ?? 0,
                state,
                ...(instanceId && { instanceId: `${instanceId}-${tag}` }),
                ...(link && { link: linkOf(link) }),
                ...(meta && { meta }),
                ...(has && { document: documentOf(text) }),
                ...(error && { error }),
              };
            });
            const once = all.filter(({ item }, at) => all.findIndex((other) => other.item === item) === at);
            for (let at = 0; at < once.length; at += size) await archive.commit(once.slice(at, at + size));
          }
          await archive.select(refs);
          const records = [...(await collect(archive.conversations())), ...(await collect(archive.unsettled()))];
          seen.push(
            records
              .map(({ item: _, error, id, link, document, ...record }) => ({
                ...record,
                id: id.startsWith("link-") ? "link" : id.replace(`-${tag}`, ""),
                link: link?.replace(tag, ""),
                error: error?.code,
                text: textOf({ ...(document && { document }) }),
              }))
              .map((record) => JSON.stringify(record, Object.keys(record).toSorted()))
              .toSorted(),
          );
          await archive.close();
        }
        expect(seen[1]).toEqual(seen[0]);
      }),
      { numRuns: 40 },
    );
  },

  "a failure never replaces a good document; another good document does": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, "a");
    await archive.commit([fetched(item, "good")]);
    await archive.commit([failure(item, "failed", "Later")]);
    await archive.commit([{ item, state: "invalid", document: documentOf("bad") }]);
    expect(await archive.find("a")).toMatchObject({ state: "fetched" });
    expect(textOf(await archive.find("a"))).toBe("good");
    await archive.commit([fetched(item, "better")]);
    expect(textOf(await archive.find("a"))).toBe("better");
  },

  "an error is kept with code, status, request id and time, and gone after success": async ({ open }) => {
    const { now, pass } = clock();
    const archive = await open(now);
    const { item } = await choose(archive, "a");
    pass(5);
    const error = { code: "InternalError", message: "m", requestId: "R", status: 500 };
    await archive.commit([{ item, state: "failed", error }]);
    expect(await archive.find("a")).toMatchObject({
      state: "failed",
      attempts: 1,
      error: { ...error, at: now().toISOString() },
    });
    await archive.commit([fetched(item, "good")]);
    expect((await archive.find("a"))?.error).toBeUndefined();
  },

  "an invalid document keeps its bytes, and a failure keeps it": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, "a");
    const error = { code: "NotJson", message: "not JSON" };
    await archive.commit([{ item, state: "invalid", document: documentOf("<html>"), error }]);
    await archive.commit([failure(item, "failed")]);
    expect(await archive.find("a")).toMatchObject({ state: "invalid", error });
    expect(textOf(await archive.find("a"))).toBe("<html>");
    expect(await collect(archive.conversations())).toEqual([]);
  },

  "metadata is kept as it is; fields that a later answer lacks stay": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, "a");
    const first = { [HOSTILE_TEXT]: [HOSTILE_TEXT, null, 1.5], GmtCreate: "x", Old: { deep: [1] } };
    await archive.commit([fetched(item, "{}", { meta: first })]);
    expect((await archive.find("a"))?.meta).toEqual(first);
    await archive.commit([fetched(item, "{}", { meta: { GmtCreate: "y", New: true } })]);
    expect((await archive.find("a"))?.meta).toEqual({ ...first, GmtCreate: "y", New: true });
    await archive.commit([fetched(item, '{"new":1}')]);
    expect((await archive.find("a"))?.meta).toEqual({ ...first, GmtCreate: "y", New: true });
  },

  "texts of the service come back as they were, but for lone surrogates": async ({ open }) => {
    const archive = await open();
    const text = HOSTILE_TEXT.toWellFormed();
    const { item } = await choose(archive, { instanceId: "a", agentId: "b'\"%\u{1f600}", status: HOSTILE_TEXT });
    const error = { code: HOSTILE_TEXT, message: HOSTILE_TEXT, requestId: HOSTILE_TEXT };
    const link = "https://logs/'\"%_\u{1f600}";
    await archive.commit([{ item, state: "failed", status: HOSTILE_TEXT, link, error }]);
    expect(await archive.find("a")).toMatchObject({
      status: text,
      agentId: "b'\"%\u{1f600}",
      link,
      error: { code: text, message: text, requestId: text },
    });
    expect(await idsIn(archive.list({ agents: ["b'\"%\u{1f600}"] }))).toEqual(["a"]);
  },

  "a start may be before 1970 or in the year 9999; one that is no time is unknown": async ({ open }) => {
    const archive = await open();
    const starts = ["0001-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z", "rubbish"];
    const items = await itemsOf(archive, ["a", "b", "c", "d"]);
    await archive.commit(items.map((item, at) => fetched(item, "{}", { startedAt: starts[at] ?? "" })));
    expect((await collect(archive.conversations())).map(({ startedAt }) => startedAt)).toEqual([
      ...starts.slice(0, 3),
      undefined,
    ]);
    expect(await idsIn(archive.list({ until: new Date(0), states: ["fetched"] }))).toEqual(["a", "b"]);
    expect(await idsIn(archive.list({ since: new Date("9999-01-01T00:00:00Z") }))).toEqual(["c"]);
  },

  "the number of an item that was united with another still means the call": async ({ open }) => {
    const archive = await open();
    const links = ["https://logs/1", "https://logs/2"];
    const [one = 0, two = 0] = (await archive.select(links.map((link) => ({ link })))).map(({ item }) => item);
    await archive.commit([fetched(one, "{}", { instanceId: "a", link: links[0] ?? "" })]);
    await archive.commit([fetched(two, "{}", { instanceId: "a", link: links[1] ?? "" })]);
    await archive.commit([fetched(two, "new", { instanceId: "a", link: links[1] ?? "" })]);
    expect(await idsIn(archive.list({}))).toEqual(["a"]);
    expect(await archive.listing(two)).toBeUndefined();
  },
} satisfies Clauses;
