import type { Input } from "../../command-spec.ts";
import { type ExitCode, exitCodeFor } from "../../exit-codes.ts";
import { otherFlags, selectionRequest } from "../../requests.ts";
import type { PullTargetFlags } from "./flags.ts";

export const pullDialogues = async (input: Input<PullTargetFlags>): Promise<ExitCode> => {
  const { args, flags, logger } = input;
  if (args.length > 0) {
    const { UsageError } = await import("../../../core/errors.ts");
    throw new UsageError('"pull dialogues" takes no ids of calls. Name sessions: --session ID.');
  }
  const { runDialoguePull } = await import("../../../app/pull/dialogues.ts");
  const { withContext } = await import("../../context.ts");
  const { printRecordSummary } = await import("../../terminal/record-summary.ts");
  const { session: sessions, fromArchive } = flags;
  const { ids: _, idsFile: _i, sources: _s, shard: _sh, ...selection } = selectionRequest(input);
  const own = { ...(sessions && { sessions }), ...(fromArchive && { fromArchive }) };
  const request = { ...otherFlags(flags), ...selection, ...own };
  return withContext({ ...input, command: "pull dialogues" }, flags.maxDuration, async (context) => {
    const run = await runDialoguePull(request, context);
    const code = exitCodeFor(run.outcome);
    printRecordSummary(logger, "dialogue", run, code);
    return code;
  });
};
