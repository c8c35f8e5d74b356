import { Option } from "commander";
import { DEFAULT_FORMAT, EXPORT_DEFAULTS } from "../../app/defaults.ts";
import type { ExportRequest } from "../../app/requests.ts";
import type { CommandSpec, Input } from "../command-spec.ts";
import { type ExitCode, exitCodeFor } from "../exit-codes.ts";
import {
  archiveOption,
  type ConfigFlags,
  cloudOptions,
  type ExportFlags,
  filterOptions,
  noArchiveOption,
  pullOptions,
  redactOptions,
  selectionOptions,
} from "../options.ts";
import { formatNames } from "../registries.ts";
import { otherFlags, selectionRequest, storedSelectionRequest } from "../requests.ts";
import { shellQuoted } from "../shell.ts";
import { whole } from "../values.ts";

const outputOptions = (): Option[] => [
  new Option(
    "-f, --format <name>",
    `${formatNames()}; repeatable (default: by the ending of -o, else ${DEFAULT_FORMAT})`,
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
  new Option("--rows <unit>", "ndjson: one line per call or per turn")
    .choices(["call", "turn"])
    .default(EXPORT_DEFAULTS.rows),
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
  run: async (input: Input<ExportFlags & ConfigFlags>): Promise<ExitCode> => {
    const { flags, logger } = input;
    const { runExport, runExportPlan } = await import("../../app/export/export.ts");
    const { withContext } = await import("../context.ts");
    const { printExportSummary, printPlan } = await import("../terminal/summary.ts");
    const { format, ...rest } = otherFlags(flags);
    const selection = flags.offline ? storedSelectionRequest(input) : selectionRequest(input);
    const request: ExportRequest = {
      ...rest,
      ...selection,
      ...(format && { formats: format }),
      fillCommand: fillCommand(input),
    };
    return withContext(input, flags.maxDuration, async (context) => {
      if (flags.dryRun) {
        const plan = await runExportPlan(request, context);
        printPlan(logger, plan);
        return exitCodeFor(plan.outcome);
      }
      const run = await runExport(request, context);
      const code = exitCodeFor(run.outcome);
      if (run.written) printExportSummary(logger, run.written, code);
      return code;
    });
  },
};

/** The command that writes what the archive has as this one would: with its agents, filters, formats and redaction. */
const fillCommand = ({ flags, given }: Input<ExportFlags & ConfigFlags>): string => {
  const words = ["callarchive", "export", "--offline", "--new", "-o", flags.output];
  const add = (name: string, flag: string, value?: string): void => {
    // What the environment or the config file says holds for that command too.
    if (given.has(name)) words.push(flag, ...(value === undefined ? [] : [value]));
  };
  for (const agent of new Set(flags.agent)) words.push("--agent", agent);
  add("format", "-f", flags.format?.join(","));
  add("rows", "--rows", flags.rows);
  add("csvBom", "--csv-bom");
  if (flags.csvGuard === false) add("csvGuard", "--no-csv-guard");
  add("redact", "--redact", flags.redact?.join(","));
  for (const pattern of flags.redactPattern ?? []) add("redactPattern", "--redact-pattern", pattern);
  add("status", "--status", flags.status);
  add("minTurns", "--min-turns", String(flags.minTurns));
  add("minDuration", "--min-duration", String(flags.minDuration));
  add("archive", "--archive", String(flags.archive));
  if (flags.config === false) add("config", "--no-config");
  else add("config", "--config", flags.config);
  return words.map(shellQuoted).join(" ");
};
