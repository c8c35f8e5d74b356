import type { Input } from "../../command-spec.ts";
import { type ExitCode, exitCodeFor } from "../../exit-codes.ts";
import { eventBridgeRequest, type PullTargetFlags, recordFlags } from "./flags.ts";

export const pullQueries = async (input: Input<PullTargetFlags>): Promise<ExitCode> => {
  const { args, flags, logger } = input;
  if (args.length > 0) {
    const { UsageError } = await import("../../../core/errors.ts");
    throw new UsageError('"pull queries" takes no ids: it reads the log from its beginning. --agent-name narrows it.');
  }
  const { runQueryPull } = await import("../../../app/pull/queries.ts");
  const { withContext } = await import("../../context.ts");
  const { printRecordSummary } = await import("../../terminal/record-summary.ts");
  const { agentName, queriesRegion } = flags;
  const eventBridge = { ...eventBridgeRequest(flags), region: queriesRegion, regionFlag: "--queries-region" };
  const request = { ...recordFlags(flags), ...(agentName !== undefined && { agentName }), eventBridge };
  return withContext({ ...input, command: "pull queries" }, flags.maxDuration, async (context) => {
    const run = await runQueryPull(request, context);
    const code = exitCodeFor(run.outcome);
    printRecordSummary(logger, "entry", run, code);
    return code;
  });
};
