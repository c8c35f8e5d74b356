import { Option } from "commander";
import { TROUBLE } from "../../core/state.ts";
import type { CommandSpec } from "../command-spec.ts";
import { readingContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption, type SourceFlags, sourceOption } from "../options.ts";

export const status: CommandSpec<SourceFlags & { archive: string; json?: boolean; failed?: boolean }> = {
  options: {
    Archive: [archiveOption(), sourceOption()],
    Output: [
      new Option("--json", "as one JSON object"),
      new Option("--failed", "the missing, invalid and failed calls as NDJSON; `export -i` reads it"),
    ],
  },
  examples: [["status", "number of conversations by state, source and agent, their dates, and the last runs"]],
  run: async (input) => {
    const { flags, io } = input;
    const { archive, source } = flags;
    const request = { archive, ...(source && { sources: source }) };
    const context = readingContext(input);
    if (flags.failed) {
      const { listCalls } = await import("../../app/list.ts");
      const { troubleLine } = await import("../../app/error-file.ts");
      const { printer } = await import("../terminal/stdout.ts");
      const { print, flush } = printer(io.stdout);
      for await (const batch of listCalls({ ...request, states: TROUBLE }, context)) {
        for (const record of batch) print(troubleLine(record));
        await flush();
      }
      return EXIT.complete;
    }
    const { archiveStatus } = await import("../../app/status.ts");
    const status = await archiveStatus(request, context);
    if (flags.json) {
      const { binding, counts, sources, acknowledged, agents, rawBytes, storedBytes, runs, inbox } = status;
      const facts = {
        ...binding,
        counts,
        sources,
        acknowledged,
        agents,
        rawBytes,
        storedBytes,
        runs,
        ...(inbox && { inbox }),
      };
      io.stdout.write(`${JSON.stringify(facts)}\n`);
    } else {
      const { statusText } = await import("../terminal/status.ts");
      io.stdout.write(statusText(archive, status));
    }
    return EXIT.complete;
  },
};
