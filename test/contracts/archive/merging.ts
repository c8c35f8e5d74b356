import { expect } from "vitest";
import { type Clauses, choose, collect, documentOf, fetched, idsIn, textOf } from "./contract.ts";

const link = "https://logs/one.json";

export const merging = {
  "a listed call that is already known is merged into the known item": async ({ open }) => {
    const archive = await open();
    const byId = await choose(archive, "Known");
    await archive.commit([fetched(byId.item, "first")]);
    const listed = await choose(archive, { link, agentId: "agent" });
    expect(listed.added).toBe(true);
    await archive.commit([fetched(listed.item, "first", { instanceId: "kNOWN", link })]);
    expect(await archive.counts()).toMatchObject({ fetched: 1, pending: 0 });
    expect(await archive.find("known")).toMatchObject({ id: "kNOWN", link, agentId: "agent" });
    expect(await choose(archive, { link })).toMatchObject({ item: byId.item, state: "fetched", added: false });
  },

  "two links of one call are one item": async ({ open }) => {
    const archive = await open();
    const links = ["https://logs/1.json", "https://logs/2.json"];
    const items = await archive.select(links.map((each) => ({ link: each, agentId: "agent" })));
    await archive.commit(
      items.map(({ item }, at) => fetched(item, "same", { instanceId: "one", link: links[at] ?? "" })),
    );
    expect(await archive.counts()).toMatchObject({ fetched: 1, pending: 0 });
    expect(await idsIn(archive.conversations())).toEqual(["one"]);
    expect(await archive.look(links.map((each) => ({ link: each })))).toEqual(["fetched", "fetched"]);
  },

  "a call without an id has a stand-in id made of its link": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, { link });
    await archive.commit([fetched(item, "{}", { link })]);
    const [record] = await collect(archive.conversations());
    // The first half of the link's SHA-256, for every adapter: people and files name calls by it.
    expect(record?.id).toBe(`link-${documentOf(link).sha256.slice(0, 32)}`);
    expect(record?.link).toBe(link);
    expect((await archive.find(record?.id ?? ""))?.item).toBe(item);
  },

  "a pruned call stays pruned, also when it is listed with another link": async ({ open }) => {
    const archive = await open();
    const { item } = await choose(archive, "a");
    await archive.commit([fetched(item, "secret")]);
    await archive.prune({ id: "a" });
    await archive.commit([fetched(item, "secret")]);
    const listed = await choose(archive, { link, agentId: "agent" });
    await archive.commit([fetched(listed.item, "secret", { instanceId: "A", link })]);
    expect((await archive.find("a"))?.state).toBe("pruned");
    expect(textOf(await archive.find("a"))).toBeUndefined();
    expect((await choose(archive, { link })).state).toBe("pruned");
    expect(await collect(archive.list({}))).toHaveLength(1);
  },
} satisfies Clauses;
