import { interleaved, ratio, spread } from "../measure.mjs";

/** How long a person waits for an answer that needs nothing of the machine. */
export const start = {
  about: "start-up, against node -e 0",
  run: async ({ shop, quick, runs, tell }) => {
    const { file } = await shop.archive(quick ? 50 : 1000);
    const bare = (command) => () => ({ ...command, bare: true });
    const ours = [["--help"], ["--version"], ["status", "--archive", file]];
    const contenders = [
      { name: "node -e 0", command: bare({ ...shop.command([]), args: [process.execPath, "-e", "0"] }) },
      ...ours.map((args) => ({ name: args[0], command: bare(shop.command(args)) })),
    ];
    const results = await interleaved(contenders, Math.max(runs, quick ? 3 : 21), () => undefined);
    tell("measured start-up");
    return {
      results,
      ratios: ours.flatMap(([name]) => [
        { name: `${name} / node -e 0`, ratio: ratio(results["node -e 0"], results[name]), promise: { most: 1.4 } },
        // On a busy machine the one that says something: nothing makes a run faster than it is.
        {
          name: `${name} / node -e 0, fastest of each`,
          ratio: spread([results[name].wall.min / results["node -e 0"].wall.min]),
        },
      ]),
    };
  },
};
