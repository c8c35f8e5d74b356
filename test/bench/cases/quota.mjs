import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { emulatorIds } from "../corpus.mjs";
import { spread } from "../measure.mjs";

const QUOTA = 50;
const PROCESSES = 3;

/** Several runs of one account at once: whether together they use its quota, and each gets its share. */
export const quota = {
  about: `${PROCESSES} processes under one quota of ${QUOTA} calls a second`,
  run: async ({ shop, quick, tell }) => {
    // Seconds that are left out at the beginning, and that are counted then.
    const [settling, counted] = quick ? [2, 4] : [10, 30];
    const calls = 4 * QUOTA * (settling + counted);
    const command = shop.command([
      "emulate",
      "-q",
      "--calls",
      String(calls),
      "--quota",
      String(QUOTA),
      "--agents",
      "1",
    ]);
    const cloud = launch(command, ["ignore", "pipe", "inherit"]);
    try {
      const [environment] = await Promise.race([once(cloud.stdout.setEncoding("utf8"), "data"), once(cloud, "exit")]);
      const origin = /ENDPOINT=(\S+)/.exec(String(environment))?.[1];
      if (cloud.exitCode !== null || !origin)
        return { results: {}, ratios: [], notes: ["this version cannot emulate a quota"] };
      const ids = shop.path("quota-ids.txt");
      writeFileSync(ids, emulatorIds(calls).join("\n"));
      tell(`pulling for ${settling + counted} s`);
      const pulls = Array.from({ length: PROCESSES }, (_, at) => {
        const mine = ["--shard", `${at + 1}/${PROCESSES}`, "--archive", `quota-${at}.db`];
        const args = ["pull", "-v", "--log-format", "json", "-i", ids, ...mine];
        return tallying(launch(shop.command(args, origin), ["ignore", "ignore", "pipe"]));
      });
      await sleep(settling * 1000);
      const before = pulls.map(({ tally }) => ({ ...tally }));
      const begun = performance.now();
      await sleep(counted * 1000);
      const seconds = (performance.now() - begun) / 1000;
      const rates = pulls.map(({ tally }, at) => (tally.fetched - before[at].fetched) / seconds);
      const refused = pulls.reduce((sum, { tally }, at) => sum + tally.retry - before[at].retry, 0) / seconds;
      for (const { child } of pulls) await end(child);
      const total = rates.reduce((sum, rate) => sum + rate, 0);
      const shares = rates.map((rate) => rate / total);
      return {
        results: {},
        rates,
        notes: [
          `${rates.map((rate) => rate.toFixed(1)).join(" + ")} = ${total.toFixed(1)} calls/s from second ${settling} on; ${refused.toFixed(1)} refusals/s`,
        ],
        ratios: [
          { name: "total rate / quota", ratio: spread([total / QUOTA]), promise: { least: 0.9, most: 1.1 } },
          {
            name: "smallest share / fair share",
            ratio: spread([Math.min(...shares) * PROCESSES]),
            promise: { least: 0.5 },
          },
          { name: "largest share / fair share", ratio: spread([Math.max(...shares) * PROCESSES]) },
        ],
      };
    } finally {
      await end(cloud);
    }
  },
};

const launch = ({ args: [program, ...args], env, cwd }, stdio) => spawn(program, args, { env, cwd, stdio });

const end = async (child) => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
};

const tallying = (child) => {
  const tally = { fetched: 0, retry: 0 };
  createInterface({ input: child.stderr }).on("line", (line) => {
    const event = /"event":"(fetched|retry)"/.exec(line)?.[1];
    if (event) tally[event] += 1;
  });
  return { child, tally };
};
