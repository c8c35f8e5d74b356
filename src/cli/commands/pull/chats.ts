import type { Input } from "../../command-spec.ts";
import { type ExitCode, exitCodeFor } from "../../exit-codes.ts";
import { selectionRequest } from "../../requests.ts";
import { eventBridgeRequest, type PullTargetFlags, recordFlags } from "./flags.ts";

export const pullChats = async (input: Input<PullTargetFlags>): Promise<ExitCode> => {
  const { flags, logger } = input;
  const { runChatPull } = await import("../../../app/pull/chats.ts");
  const { planChatPull } = await import("../../../app/pull/chat-selection.ts");
  const { withContext } = await import("../../context.ts");
  const { printChatPlan, printRecordSummary } = await import("../../terminal/record-summary.ts");
  const { agents: _, shard: _s, ...selection } = selectionRequest(input);
  const { bus, concurrency } = flags;
  const eventBridge = { ...eventBridgeRequest(flags), region: flags.chatsRegion, regionFlag: "--chats-region" };
  const request = { ...recordFlags(flags), ...selection, bus, concurrency, eventBridge };
  return withContext({ ...input, command: "pull chats" }, flags.maxDuration, async (context) => {
    if (flags.dryRun) {
      printChatPlan(logger, await planChatPull(request, context));
      return exitCodeFor("complete");
    }
    const run = await runChatPull(request, context);
    const code = exitCodeFor(run.outcome);
    printRecordSummary(logger, "event", run, code);
    return code;
  });
};
