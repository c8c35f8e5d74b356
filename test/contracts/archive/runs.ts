import { expect } from "vitest";
import { STATES } from "../../../src/core/state.ts";
import {
  at2025,
  type Clauses,
  choose,
  documentOf,
  failure,
  fetched,
  HOSTILE_TEXT,
  itemsOf,
  storeCalls,
  windowAt,
} from "./contract.ts";

const begun = { version: "1", startedAt: at2025(0) };

export const runs = {
  "runs are recorded, also those that did not end, newest first": async ({ open }) => {
    const archive = await open();
    expect(await archive.lastRuns()).toEqual([]);
    const detail = { agents: ["a"], [HOSTILE_TEXT]: [HOSTILE_TEXT] };
    const first = await archive.beginRun({ command: "pull", ...begun, detail });
    const second = await archive.beginRun({ command: "export", ...begun });
    expect(second).not.toBe(first);
    await archive.endRun(first, { endedAt: at2025(60), exitCode: 3, detail: { selected: 1 } });
    await archive.close();
    expect(await (await open()).lastRuns()).toEqual([
      { run: second, command: "export", ...begun, detail: {} },
      { run: first, command: "pull", ...begun, endedAt: at2025(60), exitCode: 3, detail: { selected: 1 } },
    ]);
  },

  "the details of a run come back as they were": async ({ open }) => {
    const archive = await open();
    const detail = { agents: ["a"], [HOSTILE_TEXT]: [HOSTILE_TEXT, { deep: null }] };
    await archive.beginRun({ command: "pull", ...begun, detail });
    expect((await archive.lastRuns())[0]?.detail).toEqual(detail);
  },

  "at least the last ten runs are told": async ({ open }) => {
    const archive = await open();
    for (let run = 0; run < 12; run += 1) await archive.beginRun({ command: `run${run}`, ...begun });
    const commands = (await archive.lastRuns()).map(({ command }) => command);
    expect(commands.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, at) => `run${11 - at}`));
  },

  "health tells the last success of a command": async ({ open }) => {
    const archive = await open();
    expect((await archive.health("pull")).lastSuccess).toBeUndefined();
    for (const [command, second, exitCode] of [
      ["pull", 1, 0],
      ["pull", 2, 0],
      ["pull", 3, 1],
      ["export", 4, 0],
    ] as const)
      await archive.endRun(await archive.beginRun({ command, ...begun }), {
        endedAt: at2025(second),
        exitCode,
        detail: {},
      });
    await archive.beginRun({ command: "pull", ...begun });
    expect((await archive.health("pull")).lastSuccess).toEqual(new Date(at2025(2)));
    expect((await archive.health("export")).lastSuccess).toEqual(new Date(at2025(4)));
    expect((await archive.health("prune")).lastSuccess).toBeUndefined();
  },

  "health tells the oldest open conversation": async ({ open }) => {
    const archive = await open(() => new Date(at2025(500)));
    const since = async () => (await archive.health("pull")).openSince;
    expect(await since()).toBeUndefined();
    const [seen = 0, started = 0] = await itemsOf(archive, ["seen", "started", "pending"]);
    await archive.commit([failure(seen, "open")]);
    expect(await since()).toEqual(new Date(at2025(500)));
    await archive.commit([{ item: started, state: "open", startedAt: at2025(100) }]);
    expect(await since()).toEqual(new Date(at2025(100)));
    const listed = await choose(archive, { link: "https://logs/1", agentId: "a", window: windowAt(2) });
    await archive.commit([{ item: listed.item, state: "open" }]);
    expect(await since()).toEqual(windowAt(2).start);
    await archive.commit([fetched(listed.item, "{}"), fetched(started, "{}")]);
    expect(await since()).toEqual(new Date(at2025(500)));
  },

  "the summary counts all calls by state, and acknowledged trouble": async ({ open }) => {
    const archive = await open();
    const zero = Object.fromEntries(STATES.map((state) => [state, 0]));
    expect((await archive.summary()).counts).toEqual(zero);
    await storeCalls(archive, ["a", "b", "c"]);
    const [one = 0, two = 0] = await itemsOf(archive, ["d", "e", "f"], "agent");
    await archive.commit([failure(one, "missing"), failure(two, "failed")]);
    await archive.prune({ id: "a" });
    await archive.acknowledge([one]);
    const { counts, acknowledged } = await (await open()).summary();
    expect(counts).toEqual({ ...zero, fetched: 2, pruned: 1, missing: 1, failed: 1, pending: 1 });
    expect(acknowledged).toBe(1);
  },

  "the summary tells the calls, times and oldest cursor of each agent": async ({ open }) => {
    const archive = await open();
    await storeCalls(archive, ["a", "b", "c"], "one");
    await itemsOf(archive, ["d"], "two'\"%");
    await itemsOf(archive, ["without agent"]);
    await archive.moveCursor("one", new Date(at2025(50)));
    await archive.moveCursor("one#1/2", new Date(at2025(40)));
    await archive.moveCursor("one#2/2", new Date(at2025(60)));
    await archive.moveCursor("nobody", new Date(at2025(1)));
    expect((await archive.summary()).agents).toEqual([
      { agentId: "one", calls: 3, first: at2025(0), last: at2025(2), cursor: at2025(40) },
      { agentId: "two'\"%", calls: 1 },
    ]);
  },

  "the summary tells the bytes of documents, before and after compression": async ({ open }) => {
    const archive = await open();
    expect(await archive.summary()).toMatchObject({ rawBytes: 0, storedBytes: 0 });
    const [one = 0, two = 0] = await itemsOf(archive, ["a", "b"]);
    const text = "the same words again and again ".repeat(1000);
    await archive.commit([
      fetched(one, text),
      { item: two, state: "invalid", document: documentOf("four"), error: { code: "X", message: "m" } },
    ]);
    const { rawBytes, storedBytes } = await archive.summary();
    expect(rawBytes).toBe(text.length + 4);
    expect(storedBytes).toBeGreaterThan(0);
    expect(storedBytes).toBeLessThan(rawBytes);
  },
} satisfies Clauses;
