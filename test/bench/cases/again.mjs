import { AGENT, startOf } from "../corpus.mjs";
import { interleaved, spread } from "../measure.mjs";

/** A run that finds nothing new: what every hourly run mostly does. */
export const again = {
  about: "second run, nothing new: time per known call",
  run: async ({ shop, quick, runs, tell, bytes, calls: wanted }) => {
    const calls = wanted ?? (quick ? 400 : 100_000);
    const { file } = await shop.archive(calls);
    const origin = await shop.server();
    const since = new Date(startOf(0) * 1000).toISOString();
    const until = new Date(startOf(calls) * 1000).toISOString();
    const pull = (...args) => shop.command(["pull", "-q", "--archive", file, ...args], origin);
    const contenders = [
      { name: "of 1 id", command: () => pull("-i", shop.ids(1)) },
      { name: "of all ids", command: () => pull("-i", shop.ids(calls)) },
      { name: "of all, listed", command: () => pull("--agent", AGENT, "--since", since, "--until", until) },
      { name: "plan of all ids", command: () => pull("-n", "-i", shop.ids(calls)) },
    ];
    const results = await interleaved(contenders, runs, tell);
    const perCall = (name) =>
      spread(
        results[name].rounds.map(
          ({ wall }, round) => (Math.max(0, wall - results["of 1 id"].rounds[round].wall) * 1e6) / calls,
        ),
      );
    return {
      calls,
      bytes,
      results,
      notes: ["each less the time of a run of one known id; `listed` includes 1.4 KB of the service's JSON a call"],
      ratios: [
        { name: "us per known id", ratio: perCall("of all ids"), promise: { most: 5 } },
        { name: "us per known call, listed", ratio: perCall("of all, listed") },
        { name: "us per known id, --dry-run", ratio: perCall("plan of all ids") },
      ],
    };
  },
};
