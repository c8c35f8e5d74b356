import { TROUBLE } from "../../../../src/core/state.ts";
import { wellFormed } from "../../../../src/core/text.ts";
import type { JsonObject } from "../../../../src/core/transcript.ts";
import { collect } from "../contract.ts";
import type { cursors } from "../cursors.ts";
import type { reports } from "../reports.ts";
import type { runs } from "../runs.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

/** The number of known calls never falls. */
const neverForgetting: Mutate = (real) => {
  let most = 0;
  return {
    trouble: async () => {
      const { known, acknowledged } = await real.trouble();
      most = Math.max(most, known);
      return { known: most, acknowledged };
    },
  };
};

export const runsMutants: MutantsOf<typeof runs> = {
  "runs are recorded, also those that did not end, newest first": {
    "oldest first": (real) => ({ lastRuns: async () => (await real.lastRuns()).toReversed() }),
    "only those that ended": (real) => ({
      lastRuns: async () => (await real.lastRuns()).filter(({ endedAt }) => endedAt !== undefined),
    }),
    "the end is not recorded": () => ({ endRun: async () => undefined }),
  },
  "the details of a run come back as they were": {
    "they are made well-formed": (real) => ({
      beginRun: ({ detail, ...run }) => real.beginRun({ ...run, detail: wellFormed(detail ?? {}) as JsonObject }),
    }),
  },
  "at least the last ten runs are told": {
    "only nine": (real) => ({ lastRuns: async () => (await real.lastRuns()).slice(0, 9) }),
  },
  "health tells the last success of a command": {
    "any command counts": (real) => ({ health: () => real.health("pull") }),
    "any exit code counts": (real) => ({ endRun: (run, end) => real.endRun(run, { ...end, exitCode: 0 }) }),
  },
  "health tells the oldest open conversation": {
    "none is open": (real) => ({
      health: async (command) => {
        const { openSince: _, ...health } = await real.health(command);
        return health;
      },
    }),
    "the start does not count": (real) => ({
      commit: (outcomes) => real.commit(outcomes.map(({ startedAt: _, ...outcome }) => outcome)),
    }),
  },
  "the summary counts all calls by state, and acknowledged trouble": {
    "it counts the selection": (real) => ({
      summary: async () => ({ ...(await real.summary()), counts: await real.counts() }),
    }),
    "nothing was acknowledged": (real) => ({ summary: async () => ({ ...(await real.summary()), acknowledged: 0 }) }),
  },
  "the summary tells the calls, times and oldest cursor of each agent": {
    "shards do not count": (real) => ({
      summary: async () => {
        const { agents, ...rest } = await real.summary();
        const own = agents.map(async ({ cursor: _, ...agent }) => {
          const cursor = await real.cursor(agent.agentId);
          return { ...agent, ...(cursor && { cursor: cursor.toISOString() }) };
        });
        return { ...rest, agents: await Promise.all(own) };
      },
    }),
    "only the first agent": (real) => ({
      summary: async () => {
        const { agents, ...rest } = await real.summary();
        return { ...rest, agents: agents.slice(0, 1) };
      },
    }),
  },
  "the summary tells the bytes of documents, before and after compression": {
    "they are the same": (real) => ({
      summary: async () => {
        const summary = await real.summary();
        return { ...summary, rawBytes: summary.storedBytes };
      },
    }),
  },
};

export const cursorsMutants: MutantsOf<typeof cursors> = {
  "a cursor moves only forward": {
    "it moves backwards": () => {
      const times = new Map<string, Date>();
      return {
        cursor: async (name) => times.get(name),
        moveCursor: async (name, to) => void times.set(name, to),
      };
    },
    "it ends with the connection": () => {
      const times = new Map<string, Date>();
      return {
        cursor: async (name) => times.get(name),
        moveCursor: async (name, to) => void times.set(name, new Date(Math.max(+to, +(times.get(name) ?? to)))),
      };
    },
  },
  "each name has a cursor of its own, whatever its characters": {
    "letter case does not matter": (real) => ({
      cursor: (name) => real.cursor(name.toLowerCase()),
      moveCursor: (name, to) => real.moveCursor(name.toLowerCase(), to),
    }),
    "blanks do not matter": (real) => ({
      cursor: (name) => real.cursor(name.trim()),
      moveCursor: (name, to) => real.moveCursor(name.trim(), to),
    }),
  },
  "a cursor keeps milliseconds, before 1970 and in far years too": {
    "it keeps seconds": (real) => ({
      moveCursor: (name, to) => real.moveCursor(name, new Date(Math.floor(+to / 1000) * 1000)),
    }),
    "it begins in 1970": (real) => ({ moveCursor: (name, to) => real.moveCursor(name, new Date(Math.max(0, +to))) }),
  },
  "a cursor of a year after 9999 does not move back either": {
    "times are compared as texts": (real) => ({
      moveCursor: (name, to) => real.moveCursor(name, to.toISOString() < "1" ? new Date(0) : to),
    }),
  },
  "health tells the oldest cursor of each agent, over its shards": {
    "a shard is an agent": (real) => ({
      health: async (command) => {
        const health = await real.health(command);
        return { ...health, cursors: health.cursors.map((each) => ({ ...each, agentId: `${each.agentId}#1/2` })) };
      },
    }),
    "a # ends the id of an agent": (real) => ({
      health: async (command) => {
        const { cursors, ...health } = await real.health(command);
        return {
          ...health,
          cursors: cursors.map(({ agentId, settledUntil }) => ({ agentId: agentId.split("#")[0] ?? "", settledUntil })),
        };
      },
    }),
  },
  "an agent whose id has a # has its own cursor in the summary": {
    "it has none": (real) => ({
      summary: async () => {
        const { agents, ...rest } = await real.summary();
        return { ...rest, agents: agents.map(({ agentId, calls }) => ({ agentId, calls })) };
      },
    }),
  },
};

export const reportsMutants: MutantsOf<typeof reports> = {
  "trouble is known once a run has reported it, until its state or code changes": {
    "every run reports": (real) => ({ endRun: (run, end) => real.endRun(run, { ...end, reported: true }) }),
    "no run reports": (real) => ({ endRun: (run, { reported: _, ...end }) => real.endRun(run, end) }),
    "it stays known": neverForgetting,
  },
  "only trouble of the selection is counted and reported": {
    "all trouble is counted": (real) => ({
      trouble: async () => {
        const records = await collect(real.list({ states: TROUBLE }));
        return { known: records.filter(({ known }) => known).length, acknowledged: 0 };
      },
    }),
    "all trouble is reported": (real) => ({
      endRun: async (run, end) => {
        await real.selectStored({});
        await real.endRun(run, end);
      },
    }),
  },
  "a call that was fetched since counts as new when it is in trouble again": { "it stays known": neverForgetting },
  "calls in trouble are acknowledged, and only those": {
    "only the first one is": (real) => ({ acknowledge: (items) => real.acknowledge(items.slice(0, 1)) }),
    "every selected call is": (real) => ({
      select: async (refs) => (await real.select(refs)).map((chosen) => ({ ...chosen, acknowledged: true })),
    }),
  },
  "acknowledged trouble stays so after another report, until it is taken back": {
    "a report takes it back": (real) => {
      const acknowledged: number[] = [];
      return {
        acknowledge: async (items) => {
          acknowledged.push(...items);
          await real.acknowledge(items);
        },
        endRun: async (run, end) => {
          await real.takeBack(acknowledged);
          await real.endRun(run, end);
        },
      };
    },
    "it is never taken back": () => ({ takeBack: async () => undefined }),
  },
};
