import { expect } from "vitest";
import { at2025, type Clauses } from "./contract.ts";

const time = (seconds: number): Date => new Date(at2025(seconds));

export const cursors = {
  "a cursor moves only forward": async ({ open }) => {
    const archive = await open();
    expect(await archive.cursor("a")).toBeUndefined();
    await archive.moveCursor("a", time(10));
    await archive.moveCursor("a", time(5));
    expect(await archive.cursor("a")).toEqual(time(10));
    await archive.moveCursor("a", time(10));
    await archive.moveCursor("a", time(11));
    expect(await archive.cursor("a")).toEqual(time(11));
    await archive.close();
    const again = await open();
    await again.moveCursor("a", time(7));
    expect(await again.cursor("a")).toEqual(time(11));
  },

  "each name has a cursor of its own, whatever its characters": async ({ open }) => {
    const archive = await open();
    const names = ["a", "A", "a ", "a%", "a#1/2", "a'; --", "\u{1f600}", "a\u0301", "á"];
    for (const [at, name] of names.entries()) await archive.moveCursor(name, time(at));
    for (const [at, name] of names.entries()) expect(await archive.cursor(name), name).toEqual(time(at));
    expect(await archive.cursor("b")).toBeUndefined();
  },

  "a cursor keeps milliseconds, before 1970 and in far years too": async ({ open }) => {
    const archive = await open();
    for (const at of ["0001-01-01T00:00:00.001Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"]) {
      await archive.moveCursor("a", new Date(at));
      expect((await archive.cursor("a"))?.toISOString()).toBe(at);
    }
    await archive.moveCursor("a", new Date(0));
    expect((await archive.cursor("a"))?.toISOString()).toBe("9999-12-31T23:59:59.999Z");
  },

  "a cursor of a year after 9999 does not move back either": async ({ open }) => {
    const archive = await open();
    await archive.moveCursor("a", new Date("+012345-01-01T00:00:00.000Z"));
    await archive.moveCursor("a", time(0));
    expect((await archive.cursor("a"))?.toISOString()).toBe("+012345-01-01T00:00:00.000Z");
  },

  "health tells the oldest cursor of each agent, over its shards": async ({ open }) => {
    const archive = await open();
    expect((await archive.health("pull")).cursors).toEqual([]);
    await archive.moveCursor("b#1/2", time(4));
    await archive.moveCursor("b#2/2", time(3));
    await archive.moveCursor("a", time(9));
    await archive.moveCursor("c#d", time(2));
    const found = (await archive.health("pull")).cursors.toSorted((one, other) =>
      one.agentId < other.agentId ? -1 : 1,
    );
    expect(found).toEqual([
      { agentId: "a", settledUntil: at2025(9) },
      { agentId: "b", settledUntil: at2025(3) },
      { agentId: "c#d", settledUntil: at2025(2) },
    ]);
  },

  "an agent whose id has a # has its own cursor in the summary": async ({ open }) => {
    const archive = await open();
    await archive.select([
      { instanceId: "1", agentId: "c" },
      { instanceId: "2", agentId: "c#d" },
    ]);
    await archive.moveCursor("c#d", time(2));
    await archive.moveCursor("c#d#1/2", time(1));
    expect((await archive.summary()).agents).toEqual([
      { agentId: "c", calls: 1 },
      { agentId: "c#d", calls: 1, cursor: at2025(1) },
    ]);
  },
} satisfies Clauses;
