import { InvalidArgumentError, Option } from "commander";
import type { CommandSpec } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { archiveOption, dryRunOption, type RetentionFlags, runOptions } from "../options.ts";
import { several } from "../values.ts";

const days = (text: string): number => {
  const match = /^(\d+)d$/.exec(text);
  if (!match || Number(match[1]) === 0) throw new InvalidArgumentError("Write days, for example 180d.");
  return Number(match[1]);
};

export const prune: CommandSpec<RetentionFlags & { olderThan?: number; agent?: string[]; dryRun?: boolean }> = {
  description:
    "Deletes documents and what was said about the calls. That a call was there is kept, so that it is not fetched again.",
  options: {
    Rule: [
      new Option("--older-than <days>", "calls that started longer ago: 180d").argParser(days),
      new Option("--agent <id...>", "only calls of these agents").argParser(several),
      dryRunOption(),
    ],
    Archive: [archiveOption(), ...runOptions()],
  },
  examples: [["prune --older-than 180d -n", "how many calls are older than half a year"]],
  run: async (input) => {
    const { flags, given, io, talk } = input;
    const { UsageError } = await import("../../core/errors.ts");
    const { scrub } = await import("../../app/scrub.ts");
    const { withSession } = await import("../../app/session.ts");
    const { plural } = await import("../../core/wording.ts");
    if (flags.olderThan === undefined) throw new UsageError("prune needs a rule: --older-than 180d, for example.");
    const until = new Date(io.now().getTime() - flags.olderThan * 86_400_000);
    const filter = {
      until,
      states: ["fetched", "invalid"] as const,
      ...(flags.agent && given.has("agent") && { agents: flags.agent }),
    };
    const facts = { olderThan: `${flags.olderThan}d`, until: until.toISOString() };
    const writes = flags.dryRun !== true;
    return withSession(input, { facts, writes, create: false, scrubs: true }, async ({ archive }) => {
      let calls = 0;
      let code: ExitCode = EXIT.complete;
      if (writes) {
        calls = await archive.prune(filter);
        code = await scrub(archive, flags.archive, talk);
      } else for await (const batch of archive.list(filter)) calls += batch.length;
      const verb = writes ? "deleted" : "would be deleted";
      talk.record("summary", { ...facts, calls, dryRun: !writes, exitCode: code });
      talk.say(`${plural(calls, "call")} from before ${until.toISOString()} ${verb}.`);
      return { code, detail: { ...facts, pruned: calls } };
    });
  },
};
