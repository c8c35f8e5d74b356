import { Option } from "commander";
import type { CommandSpec, Input } from "../command.ts";
import type { ExitCode } from "../exit-codes.ts";
import {
  archiveOption,
  cloudOptions,
  type ExportFlags,
  filterOptions,
  noArchiveOption,
  pullOptions,
  redactOptions,
  selectionOptions,
} from "../options.ts";
import { whole } from "../values.ts";

const outputOptions = (): Option[] => [
  new Option(
    "-f, --format <name>",
    "ndjson, csv, messages or raw; repeatable (default: by the ending of -o, else ndjson)",
  ).argParser((text: string, before: string[] | undefined) => [
    ...(before ?? []),
    ...text.split(",").map((name) => name.trim()),
  ]),
  new Option(
    "-o, --output <place>",
    "a file, a folder (ending in / or there already), or - for standard output",
  ).default("-"),
  new Option("--new", "write only what this output has not had yet, as a new part beside the old ones"),
  new Option("--force", "replace files that are not callarchive's own, too").conflicts("clobber"),
  new Option("--no-clobber", "replace nothing: an output that is there is an error"),
  new Option("--adopt", "with --new: learn from the output's own files what it has had, and go on from there"),
  new Option("--rows <unit>", "ndjson: one line per call or per turn").choices(["call", "turn"]).default("call"),
  new Option("--csv-bom", "csv: begin with a byte order mark, for Excel"),
  new Option("--no-csv-guard", "csv: leave cells that a spreadsheet would run as formulas unescaped"),
  new Option(
    "--threads <n>",
    "threads that make many calls' output (default: one less than cores, at most 4; 0 on two, and for fewer than 2,000 calls)",
  ).argParser(whole(0, 64)),
];

export const exportCommand: CommandSpec<ExportFlags> = {
  description: `Takes instance ids, or an agent and a stretch of time. What the archive has already is not fetched again; what it has not is fetched, kept there, and then everything selected is written, ordered by start.`,
  options: {
    Selection: selectionOptions(),
    Filters: filterOptions(),
    Output: outputOptions(),
    Redaction: redactOptions(),
    Archive: [
      archiveOption(),
      noArchiveOption(),
      new Option("--offline", "contact nothing: write what the archive has"),
      ...pullOptions(),
    ],
    Service: cloudOptions(),
  },
  examples: [
    ["export b95663f3c5eb2 > call.ndjson", "one call"],
    ["export -i ids.txt -f csv -o calls.csv", "the ids in a file, as a table"],
    [
      "export --agent AGENT --since 2025-08-01 --until 2025-08-08 -f ndjson,messages -o week/",
      "a week of one agent, two formats",
    ],
    ["export --offline -f messages -o train.jsonl", "everything the archive has, without the cloud"],
  ],
  run: async (input: Input<ExportFlags>): Promise<ExitCode> => {
    const { runExport } = await import("../jobs/exporting.ts");
    return runExport(input);
  },
};
