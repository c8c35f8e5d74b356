import type { Input } from "../../command-spec.ts";
import { type ExitCode, exitCodeFor } from "../../exit-codes.ts";
import { otherFlags, selectionRequest } from "../../requests.ts";
import type { PullTargetFlags } from "./flags.ts";

export const pullCalls = async (input: Input<PullTargetFlags>): Promise<ExitCode> => {
  const { flags, logger } = input;
  const { runPull, runPullPlan } = await import("../../../app/pull/pull.ts");
  const { withContext } = await import("../../context.ts");
  const { printPlan, printPullSummary } = await import("../../terminal/summary.ts");
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
};
