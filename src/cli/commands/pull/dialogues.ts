import type { Input } from "../../command-spec.ts";
import { type ExitCode, exitCodeFor } from "../../exit-codes.ts";
import { defined, otherFlags, storedSelectionRequest } from "../../requests.ts";
import type { PullTargetFlags } from "./flags.ts";

export const pullDialogues = async (input: Input<PullTargetFlags>): Promise<ExitCode> => {
  const { args, flags, given, logger } = input;
  if (args.length > 0) {
    const { UsageError } = await import("../../../core/errors.ts");
    throw new UsageError('"pull dialogues" takes no ids of calls. Name sessions: --session ID.');
  }
  const { runDialoguePull } = await import("../../../app/pull/dialogues.ts");
  const { withContext } = await import("../../context.ts");
  const { printRecordSummary } = await import("../../terminal/record-summary.ts");
  const { agents, since, until, tz, limit } = storedSelectionRequest(input);
  // What the command line says counts alone: sessions of the config file are no part of it, and the other way round.
  const sessions = given.has("fromArchive") && !given.has("session") ? undefined : flags.session;
  const fromArchive = given.has("session") && !given.has("fromArchive") ? undefined : flags.fromArchive;
  const { session: _, fromArchive: _f, ...others } = otherFlags(flags);
  const request = { ...others, ...defined({ sessions, fromArchive, agents, since, until, tz, limit }) };
  return withContext({ ...input, command: "pull dialogues" }, flags.maxDuration, async (context) => {
    const run = await runDialoguePull(request, context);
    const code = exitCodeFor(run.outcome);
    printRecordSummary(logger, "dialogue", run, code);
    return code;
  });
};
