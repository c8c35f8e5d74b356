import type { CommandSpec, Input } from "../command-spec.ts";
import { type ExitCode, exitCodeFor } from "../exit-codes.ts";
import { archiveOption, cloudOptions, type PullCommandFlags, pullOptions, selectionOptions } from "../options.ts";
import { otherFlags, selectionRequest } from "../requests.ts";

export const pullCommand: CommandSpec<PullCommandFlags> = {
  options: {
    Selection: selectionOptions(),
    Archive: [archiveOption(), ...pullOptions()],
    Service: cloudOptions(),
  },
  examples: [
    ["pull --agent AGENT --since 24h", "the calls of one agent in the last 24 hours"],
    ["pull -i ids.txt", "the calls whose ids are in a file"],
  ],
  run: async (input: Input<PullCommandFlags>): Promise<ExitCode> => {
    const { flags, logger } = input;
    const { runPull, runPullPlan } = await import("../../app/pull/pull.ts");
    const { withContext } = await import("../context.ts");
    const { printPlan, printPullSummary } = await import("../terminal/summary.ts");
    const request = { ...otherFlags(flags), ...selectionRequest(input) };
    return withContext(input, flags.maxDuration, async (context) => {
      if (flags.dryRun) {
        const plan = await runPullPlan(request, context);
        printPlan(logger, plan);
        return exitCodeFor(plan.outcome);
      }
      const run = await runPull(request, context);
      const code = exitCodeFor(run.outcome);
      printPullSummary(logger, run, code);
      return code;
    });
  },
};
