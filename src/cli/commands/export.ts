import { Option } from "commander";
import { DEFAULT_FORMAT, EXPORT_DEFAULTS } from "../../app/defaults.ts";
import type { ExportRequest } from "../../app/requests.ts";
import { writers } from "../../writers/index.ts";
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
  settleOption,
  sourceOption,
} from "../options.ts";
import { otherFlags, selectionRequest, storedSelectionRequest } from "../requests.ts";
import { shellQuoted } from "../shell.ts";
import { whole } from "../values.ts";

const names = Object.keys(writers);
const formatNames = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;

const outputOptions = (): Option[] => [
  new Option(
    "-f, --format <name>",
    `${formatNames}; repeatable (default: chosen by the ending of -o, else ${DEFAULT_FORMAT})`,
  ).argParser((text: string, before: string[] | undefined) => [
    ...(before ?? []),
    ...text.split(",").map((name) => name.trim()),
  ]),
  new Option("-o, --output <place>", "a file, a folder (ends with / or exists), or - for standard output").default("-"),
  new Option("--new", "write only calls that this output does not have yet, as a new part beside the old ones"),
  new Option("--force", "also replace files that callarchive did not write").conflicts("clobber"),
  new Option("--no-clobber", "replace nothing: fail if the output exists"),
  new Option("--adopt", "with --new: read from the output's own files which calls it has, and continue from there"),
  new Option("--rows <unit>", "ndjson: one line per call or per turn")
    .choices(["call", "turn"])
    .default(EXPORT_DEFAULTS.rows),
  new Option("--csv-bom", "csv: start with a byte order mark, for Excel"),
  new Option("--no-csv-guard", "csv: do not escape cells that a spreadsheet would run as formulas"),
  new Option(
    "--threads <n>",
    "number of threads that format the output (default: cores minus one, at most 4; 0 on two cores and for fewer than 2,000 calls)",
  ).argParser(whole(0, 64)),
];

export const exportCommand: CommandSpec<ExportFlags> = {
  description: `Selects calls by instance id, or by agent and time. Fetches the selected calls that the archive does not have, stores them there, and then writes all selected calls, ordered by start time. With --offline, it writes what the archive has, of all sources.`,
  options: {
    Selection: [...selectionOptions(), sourceOption()],
    Filters: filterOptions(),
    Output: outputOptions(),
    Redaction: redactOptions(),
    Archive: [
      archiveOption(),
      settleOption(),
      noArchiveOption(),
      new Option("--offline", "do not contact the cloud: write what the archive has"),
      ...pullOptions(),
    ],
    Service: cloudOptions(),
  },
  examples: [
    ["export b95663f3c5eb2 > call.ndjson", "one call"],
    ["export -i ids.txt -f csv -o calls.csv", "the calls whose ids are in a file, as a table"],
    [
      "export --agent AGENT --since 2025-08-01 --until 2025-08-08 -f ndjson,messages -o week/",
      "a week of one agent, two formats",
    ],
    ["export --offline -f messages -o train.jsonl", "everything in the archive, without contacting the cloud"],
    ["export --offline --source chats -o chats.ndjson", "only the chat sessions in the archive"],
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

/** The command that writes all stored calls in the way of this one: same agents, filters, formats and redaction. */
const fillCommand = ({ flags, given }: Input<ExportFlags & ConfigFlags>): string => {
  const words = ["callarchive", "export", "--offline", "--new", "-o", flags.output];
  const add = (name: string, flag: string, value?: string): void => {
    // Settings of the environment and the config file apply to that command anyway.
    if (given.has(name)) words.push(flag, ...(value === undefined ? [] : [value]));
  };
  add("source", "--source", flags.source?.join(","));
  for (const agent of new Set(flags.agent)) words.push("--agent", agent);
  add("format", "-f", flags.format?.join(","));
  add("rows", "--rows", flags.rows);
  add("csvBom", "--csv-bom");
  if (flags.csvGuard === false) add("csvGuard", "--no-csv-guard");
  add("redact", "--redact", flags.redact?.join(","));
  for (const pattern of flags.redactPattern ?? []) add("redactPattern", "--redact-pattern", pattern);
  add("redactCommand", "--redact-command", flags.redactCommand);
  add("redactTimeout", "--redact-timeout", String(flags.redactTimeout));
  add("status", "--status", flags.status);
  add("minTurns", "--min-turns", String(flags.minTurns));
  add("minDuration", "--min-duration", String(flags.minDuration));
  add("archive", "--archive", String(flags.archive));
  if (flags.config === false) add("config", "--no-config");
  else add("config", "--config", flags.config);
  return words.map(shellQuoted).join(" ");
};
