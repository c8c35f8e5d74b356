import type { Ims, Instance, Log } from "../../src/core/ports.ts";
import { callsById, fetchCalls } from "../../src/sources/calls.ts";
import { callsByRange } from "../../src/sources/ranges.ts";
import type { MakeSource, World } from "../contracts/source.ts";

const START = Date.parse("2025-08-10T00:00:00Z");
const HOUR = 3_600_000;
const NOW = new Date("2025-08-20T00:00:00Z");
const AGENT = "agent";
const log: Log = () => undefined;

/** A conversation begins every hour, and so many of them at a time that there are two days of them. */
const startOf = (world: World, at: number): number =>
  START + Math.floor((at * 48) / Math.max(1, world.conversations.length)) * HOUR;

const linkOf = (at: number): URL => new URL(`https://logs.example/${at}.json?Signature=s`);

/** The service as the sources of calls see it. Lists have no ids. */
const imsOf = (world: World): Ims => ({
  describeInstance: async (id, signal) => {
    signal?.throwIfAborted();
    world.asked.push(`describe ${id}`);
    const at = world.conversations.findIndex((each) => each.id === id);
    return { id, link: linkOf(at), status: "Finished", meta: { GmtModified: "2025-08-12T00:00:00Z" } };
  },
  listInstances: async ({ start, end, page, size }, signal) => {
    signal?.throwIfAborted();
    world.asked.push(`list ${start.toISOString()} ${end.toISOString()} ${page} ${size}`);
    const listed = world.conversations.flatMap((_, at): Instance[] => {
      const began = startOf(world, at);
      return began >= start.getTime() && began < end.getTime()
        ? [{ link: linkOf(at), status: "Finished", meta: { Number: at } }]
        : [];
    });
    return listed.slice((page - 1) * size, page * size);
  },
  listDialogues: async () => [],
});

const fetchOf = (world: World) =>
  fetchCalls({
    ims: imsOf(world),
    download: async (link, signal) => {
      const at = Number(/(\d+)\.json$/.exec(link.pathname)?.[1]);
      return world.document(world.conversations[at]?.id ?? "", signal);
    },
    now: () => NOW,
    log,
  });

/** The sources of calls. */
export const SOURCES: Record<string, MakeSource> = {
  "calls by id": (world) => ({ found: () => callsById(world.ids()), fetch: fetchOf(world) }),
  "calls by range": (world) => ({
    found: (signal) => {
      const range = { agentId: AGENT, since: new Date(START), until: new Date(START + 72 * HOUR) };
      return callsByRange({ ims: imsOf(world), log, now: () => NOW, ...(signal && { signal }) }, [range], []);
    },
    fetch: fetchOf(world),
  }),
};
