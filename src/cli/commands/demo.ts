import { Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { exitCodeFor } from "../exit-codes.ts";

export const demo: CommandSpec<{ output: string }> = {
  options: { Output: [new Option("-o, --output <folder>", "folder for the files").default("callarchive-demo")] },
  examples: [["demo", "a week of 60 invented calls, in every format"]],
  run: async (input) => {
    const { flags, io, logger } = input;
    const { output } = flags;
    const { DEMO_CALLS, DEMO_FORMATS, runDemo } = await import("../../app/demo.ts");
    const { withContext } = await import("../context.ts");
    const { conversation } = await import("../terminal/conversation.ts");
    const { printExportSummary } = await import("../terminal/summary.ts");
    const demo = await withContext(input, undefined, (context) =>
      runDemo(output, context, (agent) => {
        logger.message(`An emulated cloud holds ${DEMO_CALLS} calls of agent ${agent}. Exporting a week of them:`);
        logger.message(
          `$ callarchive export --agent ${agent} --since 2025-07-14 --until 2025-07-21 -f ${DEMO_FORMATS.join(",")} -o ${output}/\n`,
        );
      }),
    );
    const { written, outcome } = demo.export;
    if (written) printExportSummary(logger, written, exitCodeFor(outcome));
    logger.message(`\n$ callarchive show ${demo.sample.id} --archive ${demo.archive}\n`);
    io.stdout.write(conversation(demo.sample));
    logger.message(
      `\nThe files are in ${output}/. To try it with your own account, run "callarchive doctor": it says what is still missing.`,
    );
    return exitCodeFor(outcome);
  },
};
