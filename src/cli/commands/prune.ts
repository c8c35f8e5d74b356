import { InvalidArgumentError, Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { exitCodeFor } from "../exit-codes.ts";
import { archiveOption, dryRunOption, type RetentionFlags, runOptions } from "../options.ts";
import { several } from "../values.ts";

const days = (text: string): number => {
  const match = /^(\d+)d$/.exec(text);
  if (!match || Number(match[1]) === 0) throw new InvalidArgumentError("Write days, for example 180d.");
  return Number(match[1]);
};

export const prune: CommandSpec<RetentionFlags & { olderThan?: number; agent?: string[]; dryRun?: boolean }> = {
  description:
    "Deletes the documents and the details of old calls. Keeps their ids, so that they are not fetched again.",
  options: {
    Rule: [
      new Option("--older-than <days>", "calls that started more than this long ago: 180d").argParser(days),
      new Option("--agent <id...>", "only calls of these agents").argParser(several),
      dryRunOption(),
    ],
    Archive: [archiveOption(), ...runOptions()],
  },
  examples: [["prune --older-than 180d -n", "count the calls that are older than 180 days, delete nothing"]],
  run: async (input) => {
    const { flags, given, logger } = input;
    const { runPrune } = await import("../../app/prune.ts");
    const { UsageError } = await import("../../core/errors.ts");
    const { plural } = await import("../../core/wording.ts");
    const { withContext } = await import("../context.ts");
    const { olderThan, agent, ...rest } = flags;
    if (olderThan === undefined) throw new UsageError("prune needs a rule, for example --older-than 180d.");
    const request = { ...rest, olderThan, ...(agent && given.has("agent") && { agents: agent }) };
    const { outcome, calls, until } = await withContext(input, flags.maxDuration, (context) =>
      runPrune(request, context),
    );
    const exitCode = exitCodeFor(outcome);
    const dryRun = flags.dryRun === true;
    const facts = { olderThan: `${olderThan}d`, until: until.toISOString() };
    logger.record("summary", { ...facts, calls, dryRun, exitCode });
    logger.message(
      `${plural(calls, "call")} that started before ${until.toISOString()} ${dryRun ? "would be deleted" : "deleted"}.`,
    );
    return exitCode;
  },
};
