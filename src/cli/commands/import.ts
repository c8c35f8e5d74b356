import { Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { exitCodeFor } from "../exit-codes.ts";
import { archiveOption, type RunFlags, runOptions } from "../options.ts";

export const importCommand: CommandSpec<RunFlags & { archive: string; errorFile?: string }> = {
  description:
    "Reads chat logs that EventBridge has delivered: JSON, one event per line or an array of events, also gzipped, also wrapped as log services, message queues and databases store them. Without files it reads standard input. Events that the archive has already are not added again.",
  options: {
    Archive: [
      archiveOption(),
      ...runOptions(),
      new Option("--error-file <file>", "write what is no chat log to this file as NDJSON, with file and line"),
    ],
  },
  examples: [
    ["import events.ndjson.gz", "the events in a file"],
    ["import dump/*.json --error-file broken.ndjson", "the events in several files; what cannot be read is kept aside"],
    ["export --offline -o chats.ndjson", "write what was imported"],
  ],
  run: async (input) => {
    const { args, flags, logger } = input;
    const { runImport } = await import("../../app/import/import.ts");
    const { duration, plural } = await import("../../core/wording.ts");
    const { recordLine } = await import("../terminal/record-summary.ts");
    const { withContext } = await import("../context.ts");
    const { outcome, values, events, other, broken, conversations, ms } = await withContext(
      input,
      flags.maxDuration,
      (context) => runImport({ ...flags, files: args }, context),
    );
    const exitCode = exitCodeFor(outcome);
    logger.record("summary", { values, ...events, other, broken, conversations, ms, exitCode });
    logger.message(recordLine("event", events));
    const besides = [
      other > 0 && `${plural(other, "event")} of other types`,
      broken > 0 && `${plural(broken, "value")} without a usable event`,
    ].filter(Boolean);
    logger.message(
      `${plural(conversations, "conversation")}${besides.length > 0 ? `; besides: ${besides.join(", ")}` : ""}; ${duration(ms)}`,
    );
    return exitCode;
  },
};
