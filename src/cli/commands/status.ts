import { Option } from "commander";
import { TROUBLE } from "../../core/state.ts";
import type { CommandSpec } from "../command-spec.ts";
import { readingContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption } from "../options.ts";

export const status: CommandSpec<{ archive: string; json?: boolean; failed?: boolean }> = {
  options: {
    Archive: [archiveOption()],
    Output: [
      new Option("--json", "as one JSON object"),
      new Option("--failed", "the missing, invalid and failed calls as NDJSON; `export -i` reads it"),
    ],
  },
  examples: [["status", "number of calls by state and agent, their dates, and the last runs"]],
  run: async (input) => {
    const { flags, io } = input;
    const context = readingContext(input);
    if (flags.failed) {
      const { listCalls } = await import("../../app/list.ts");
      const { troubleLine } = await import("../../app/error-file.ts");
      const { printer } = await import("../terminal/stdout.ts");
      const { print, flush } = printer(io.stdout);
      for await (const batch of listCalls({ archive: flags.archive, states: TROUBLE }, context)) {
        for (const record of batch) print(troubleLine(record));
        await flush();
      }
      return EXIT.complete;
    }
    const { archiveStatus } = await import("../../app/status.ts");
    const status = await archiveStatus(flags, context);
    if (flags.json) {
      const { binding, counts, acknowledged, agents, rawBytes, storedBytes, runs } = status;
      io.stdout.write(`${JSON.stringify({ ...binding, counts, acknowledged, agents, rawBytes, storedBytes, runs })}\n`);
    } else {
      const { statusText } = await import("../terminal/status.ts");
      io.stdout.write(statusText(flags.archive, status));
    }
    return EXIT.complete;
  },
};
