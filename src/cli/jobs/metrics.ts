import { resolve } from "node:path";
import type { Io } from "../io.ts";
import type { StreamContext } from "../open-stream.ts";
import { fillWhole } from "../whole-file.ts";

/** What a run counted, by state, and the bytes of the documents it fetched. */
export interface Figures {
  /** Of the calls that are missing, invalid or failed. */
  trouble?: Readonly<Record<string, number>>;
  calls: Readonly<Record<string, number>>;
  bytes: number;
}

/**
Writes a run's figures as OpenMetrics text, whole, for node_exporter's textfile collector.

Each command has a file of its own, or they would overwrite each other.
*/
export const writeMetrics = async (
  file: string | undefined,
  io: Io,
  command: string,
  begun: Date,
  exitCode: number,
  figures: Figures | undefined,
  context: StreamContext,
): Promise<void> => {
  if (file === undefined) return;
  const now = io.now().getTime();
  const labels = `command="${command}"`;
  const lines: string[] = [];
  const gauge = (name: string, help: string, samples: readonly (readonly [string, number])[]): void => {
    lines.push(`# HELP callarchive_${name} ${help}`, `# TYPE callarchive_${name} gauge`);
    for (const [extra, value] of samples) lines.push(`callarchive_${name}{${labels}${extra}} ${value}`);
  };
  gauge("run_end_timestamp_seconds", "When the last run ended.", [["", now / 1000]]);
  gauge("run_duration_seconds", "How long the last run took.", [["", (now - begun.getTime()) / 1000]]);
  gauge("run_exit_code", "How the last run ended; 0 is complete.", [["", exitCode]]);
  if (figures) {
    const calls = Object.entries(figures.calls).map(([state, n]) => [`,state="${state}"`, n] as const);
    gauge("run_calls", "Calls of the last run, by what came of them.", calls);
    if (figures.trouble) {
      const trouble = Object.entries(figures.trouble).map(([kind, n]) => [`,kind="${kind}"`, n] as const);
      gauge("run_trouble", "Missing, invalid and failed calls of the last run, by whether they are news.", trouble);
    }
    gauge("run_fetched_bytes", "Documents that the last run fetched.", [["", figures.bytes]]);
  }
  const text = `${lines.join("\n")}\n# EOF\n`;
  await fillWhole(resolve(io.cwd, file), io, context, async (to) => to.add(text), 0o644);
};
