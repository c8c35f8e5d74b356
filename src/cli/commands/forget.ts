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

export const forget: CommandSpec<RetentionFlags & SourceFlags & { dryRun?: boolean }> = {
  description: `For erasure requests. Deletes the conversations at once and keeps only their ids, so that they are not fetched
again. Outputs are not changed: it prints each output that was written from this archive and contains one of the
conversations, one per line, and each row of data sets, as file and row. \`dataset forget\` removes these rows.`,
  options: { Control: [dryRunOption()], Archive: [archiveOption(), sourceOption(), ...runOptions()] },
  examples: [
    ["forget ID -n", "show what would be deleted, and which outputs contain it"],
    ["forget ID", "delete one call, and print the outputs that still contain it"],
  ],
  run: async (input) => {
    const { args, flags, io, logger } = input;
    const { source: _, ...rest } = flags;
    const { runForget } = await import("../../app/forget.ts");
    const { oneLine } = await import("../../core/printable.ts");
    const { plural } = await import("../../core/wording.ts");
    const { withContext } = await import("../context.ts");
    const { outcome, forgotten, unknown } = await withContext(input, flags.maxDuration, (context) =>
      runForget({ ...rest, ...givenSources(input), ids: args }, context, ({ id, format, place }) => {
        io.stdout.write(`${[id, format, place].map(oneLine).join("\t")}\n`);
      }),
    );
    const exitCode = exitCodeFor(outcome);
    const dryRun = flags.dryRun === true;
    logger.record("summary", { forgotten, unknown, dryRun, exitCode });
    logger.message(`${plural(forgotten, "conversation")} ${dryRun ? "would be forgotten" : "forgotten"}.`);
    return exitCode;
  },
};
