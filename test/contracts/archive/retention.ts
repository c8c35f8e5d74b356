import { expect } from "vitest";
import {
  at2025,
  type Clauses,
  choose,
  collect,
  documentOf,
  failure,
  fetched,
  idsIn,
  itemsOf,
  storeCalls,
  textOf,
} from "./contract.ts";

export const retention = {
  "pruning leaves a tombstone without document, metadata, status and error": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, { instanceId: "Secret", agentId: "agent", status: "Finished" });
    const meta = { UserData: "secret", CallLogUrl: "https://logs/secret" };
    await archive.commit([
      fetched(item, "secret", { meta, status: "Ended", startedAt: at2025(0), link: "https://l/1" }),
    ]);
    const [invalid = 0] = await itemsOf(archive, ["invalid"]);
    await archive.commit([{ ...failure(invalid, "invalid"), document: documentOf("secret too") }]);
    await archive.acknowledge([invalid]);
    expect(await archive.prune({ states: ["fetched", "invalid"] })).toBe(2);
    for (const id of ["secret", "invalid"]) {
      const record = await archive.find(id);
      expect(record?.state).toBe("pruned");
      for (const gone of ["document", "meta", "status", "error", "acknowledged"] as const)
        expect(record?.[gone], gone).toBeUndefined();
    }
    expect(await archive.find("secret")).toMatchObject({ id: "Secret", agentId: "agent", startedAt: at2025(0) });
    expect(await archive.summary()).toMatchObject({ rawBytes: 0, storedBytes: 0, acknowledged: 0 });
    expect(await collect(archive.conversations())).toEqual([]);
    expect((await collect(archive.list({}, { documents: true }))).map(textOf)).toEqual([undefined, undefined]);
  },

  "only the calls that match are pruned": async ({ open }) => {
    const archive = await open();
    await storeCalls(archive, ["a", "b", "c", "d"], "one");
    await storeCalls(archive, ["e"], "two");
    const left = () => idsIn(archive.list({ states: ["fetched"] }));
    expect(await archive.prune({ id: "unknown" })).toBe(0);
    expect(await archive.prune({ id: "%" })).toBe(0);
    expect(await archive.prune({ until: new Date(at2025(1)), agents: ["one"] })).toBe(1);
    expect(await left()).toEqual(["e", "b", "c", "d"]);
    expect(await archive.prune({ id: "C" })).toBe(1);
    expect(await archive.prune({ limit: 1, states: ["fetched"] })).toBe(1);
    expect(await left()).toEqual(["b", "d"]);
    for (const id of await left()) expect(textOf(await archive.find(id))).toMatch(/^\{"n":\d\}$/);
    expect(await archive.integrity()).toEqual([]);
  },

  "the archive knows that deleted bytes are left, until a scrub succeeded": async ({ open }) => {
    const archive = await open();
    await storeCalls(archive, ["a", "b"]);
    expect(await archive.scrub()).toBeUndefined();
    expect(await archive.fact("scrub")).toBeUndefined();
    await archive.prune({ id: "unknown" });
    expect(await archive.fact("scrub")).toBeUndefined();
    await archive.prune({ id: "a" });
    expect(await archive.fact("scrub")).toBeDefined();
    await archive.close();
    const again = await open();
    expect(await again.fact("scrub")).toBeDefined();
    expect(await again.scrub()).toBeUndefined();
    expect(await again.fact("scrub")).toBeUndefined();
    expect(textOf(await again.find("b"))).toBe('{"n":1}');
  },

  "a good archive has no problems, after every kind of change": async ({ open }) => {
    const archive = await open();
    expect(await archive.integrity()).toEqual([]);
    const items = await storeCalls(archive, ["a", "b", "c"]);
    await archive.commit([fetched(items[0] ?? 0, "new")]);
    await archive.prune({ id: "b" });
    await archive.scrub();
    await archive.acquire({ pid: 1, host: "h" }, () => false);
    await archive.release();
    expect(await archive.integrity()).toEqual([]);
    expect(await idsIn(archive.conversations())).toEqual(["a", "c"]);
  },
} satisfies Clauses;
