import type { CommandSpec } from "../command-spec.ts";
import { exitCodeFor } from "../exit-codes.ts";
import { archiveOption, dryRunOption, type RetentionFlags, runOptions } from "../options.ts";

export const forget: CommandSpec<RetentionFlags & { dryRun?: boolean }> = {
  description: `For requests for erasure. Deletes at once and leaves no trace in the file but the id, so that the call is not fetched
again. Outputs are not touched: those that were written with this archive are named, one per line.`,
  options: { Control: [dryRunOption()], Archive: [archiveOption(), ...runOptions()] },
  examples: [
    ["forget ID -n", "what would be deleted, and the files that hold it"],
    ["forget ID", "one call; what it prints are the files to clean"],
  ],
  run: async (input) => {
    const { args, flags, io, logger } = input;
    const { runForget } = await import("../../app/forget.ts");
    const { oneLine } = await import("../../core/printable.ts");
    const { plural } = await import("../../core/wording.ts");
    const { withContext } = await import("../context.ts");
    const { outcome, forgotten, unknown } = await withContext(input, flags.maxDuration, (context) =>
      runForget({ ...flags, ids: args }, context, ({ id, format, place }) => {
        io.stdout.write(`${[id, format, place].map(oneLine).join("\t")}\n`);
      }),
    );
    const exitCode = exitCodeFor(outcome);
    const dryRun = flags.dryRun === true;
    logger.record("summary", { forgotten, unknown, dryRun, exitCode });
    logger.message(`${plural(forgotten, "call")} ${dryRun ? "would be forgotten" : "forgotten"}.`);
    return exitCode;
  },
};
