import { InvalidArgumentError, Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { exitCodeFor } from "../exit-codes.ts";
import {
  archiveOption,
  dryRunOption,
  type RetentionFlags,
  runOptions,
  type SourceFlags,
  sourceOption,
} from "../options.ts";
import { givenSources } from "../requests.ts";
import { several } from "../values.ts";

const days = (text: string): number => {
  const match = /^(\d+)d$/.exec(text);
  if (!match || Number(match[1]) === 0) throw new InvalidArgumentError("Write days, for example 180d.");
  return Number(match[1]);
};

type PruneFlags = RetentionFlags & SourceFlags & { olderThan?: number; agent?: string[]; dryRun?: boolean };

export const prune: CommandSpec<PruneFlags> = {
  description:
    "Deletes the documents and the details of old conversations. Keeps their ids, so that they are not fetched again.",
  options: {
    Rule: [
      new Option("--older-than <days>", "conversations that started more than this long ago: 180d").argParser(days),
      new Option("--agent <id...>", "only conversations of these agents").argParser(several),
      sourceOption(),
      dryRunOption(),
    ],
    Archive: [archiveOption(), ...runOptions()],
  },
  examples: [["prune --older-than 180d -n", "count the conversations that are older than 180 days, delete nothing"]],
  run: async (input) => {
    const { flags, given, logger } = input;
    const { runPrune } = await import("../../app/prune.ts");
    const { UsageError } = await import("../../core/errors.ts");
    const { plural } = await import("../../core/wording.ts");
    const { withContext } = await import("../context.ts");
    const { olderThan, agent, source: _, ...rest } = flags;
    if (olderThan === undefined) throw new UsageError("prune needs a rule, for example --older-than 180d.");
    const agents = agent && given.has("agent") && { agents: agent };
    const request = { ...rest, olderThan, ...agents, ...givenSources(input) };
    const { outcome, calls, until } = await withContext(input, flags.maxDuration, (context) =>
      runPrune(request, context),
    );
    const exitCode = exitCodeFor(outcome);
    const dryRun = flags.dryRun === true;
    const facts = { olderThan: `${olderThan}d`, until: until.toISOString() };
    logger.record("summary", { ...facts, calls, dryRun, exitCode });
    logger.message(
      `${plural(calls, "conversation")} that started before ${until.toISOString()} ${dryRun ? "would be deleted" : "deleted"}.`,
    );
    return exitCode;
  },
};
