import { Option } from "commander";
import type { CommandSpec } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption } from "../options.ts";

export const status: CommandSpec<{ archive: string; json?: boolean; failed?: boolean }> = {
  options: {
    Archive: [archiveOption()],
    Output: [
      new Option("--json", "as one JSON object"),
      new Option("--failed", "the calls that could not be had, as NDJSON; `export -i` takes it back"),
    ],
  },
  examples: [["status", "how many calls, of which agents, from when to when, and the last runs"]],
  run: async ({ flags, io }) => {
    const { archiveOf } = await import("../../app/archive.ts");
    const { oneLine } = await import("../../core/printable.ts");
    const { count, size } = await import("../../core/wording.ts");
    const { table } = await import("../terminal/format.ts");
    const { bindingName, bindingOf } = await import("../../app/binding.ts");
    const archive = await archiveOf(flags, io, false);
    try {
      if (flags.failed) {
        const { streamOutput } = await import("../../sinks/stream.ts");
        const { troubleLine } = await import("../../app/error-file.ts");
        const { put, flush } = streamOutput(io.stdout);
        for await (const batch of archive.list({ states: ["failed", "missing", "invalid"] })) {
          for (const record of batch) put(troubleLine(record));
          await flush();
        }
        return EXIT.complete;
      }
      const { counts, acknowledged, agents, rawBytes, storedBytes } = await archive.summary();
      const runs = await archive.lastRuns();
      const binding = await bindingOf(archive);
      if (flags.json) {
        io.stdout.write(
          `${JSON.stringify({ ...binding, counts, acknowledged, agents, rawBytes, storedBytes, runs })}\n`,
        );
        return EXIT.complete;
      }
      const states = Object.entries(counts).filter(([, n]) => n > 0);
      const settled =
        acknowledged > 0 ? ` (${count(acknowledged)} of the missing, invalid or failed acknowledged)` : "";
      const lines = [
        `Archive ${oneLine(flags.archive)}: ${size(rawBytes)} of documents, ${size(storedBytes)} as stored`,
        states.length > 0 ? states.map(([state, n]) => `${count(n)} ${state}`).join(", ") + settled : "no calls yet",
      ];
      const whose = bindingName(binding);
      if (whose !== "") lines.push(`of ${whose}`);
      if (agents.length > 0)
        lines.push(
          "",
          table([
            ["AGENT", "CALLS", "FIRST", "LAST", "SETTLED UNTIL"],
            ...agents.map(({ agentId, calls, first, last, cursor }) => [
              agentId,
              count(calls),
              first ?? "-",
              last ?? "-",
              cursor ?? "-",
            ]),
          ]),
        );
      if (runs.length > 0)
        lines.push(
          "",
          table([
            ["RUN", "STARTED", "COMMAND", "EXIT"],
            ...runs.map(({ run, startedAt, command, exitCode }) => [
              String(run),
              startedAt,
              command,
              exitCode === undefined ? "did not end" : String(exitCode),
            ]),
          ]),
        );
      io.stdout.write(`${lines.join("\n")}\n`);
      return EXIT.complete;
    } finally {
      await archive.close();
    }
  },
};
