import type { Input } from "../../cli/command.ts";
import type { ConfigFlags, ExportFlags } from "../../cli/options.ts";
import type { Archive } from "../../core/archive.ts";
import type { Selection } from "../selection/selection.ts";
import type { Target } from "./outputs.ts";

/**
Warns when `--new --since last` begins a destination of an archive that has older calls of these agents.

Only what lies behind the cursor by less than the lookback would ever be written there.
*/
export const tellOlder = async (
  input: Input<ExportFlags & ConfigFlags>,
  archive: Pick<Archive, "lastPart" | "list">,
  target: Target,
  selection: Selection | undefined,
): Promise<void> => {
  const { flags, talk } = input;
  if (!flags.new || target.kind === "stream" || selection?.by !== "range" || !selection.last) return;
  const begun = await Promise.all(target.formats.map((format) => archive.lastPart(target.path, format)));
  if (begun.every((part) => part !== undefined)) return;
  for (const { agentId, since } of selection.stretches)
    for await (const batch of archive.list({ agents: [agentId], until: since, states: ["fetched"], limit: 1 }))
      if (batch.length > 0) {
        const command = fillCommand(input);
        talk.log("warn", "older-calls", { place: flags.output, since: since.toISOString(), command });
        return;
      }
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
  return words.map(quoted).join(" ");
};

/** For a shell. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
