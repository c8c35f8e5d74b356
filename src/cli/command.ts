import { type Command, CommanderError, type Option } from "commander";
import type { ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { createTalk, type DisplayFlags, type Talk } from "./log.ts";
import { displayOptions } from "./options.ts";

export interface Input<F> {
  args: string[];
  flags: F & DisplayFlags;
  io: Io;
  talk: Talk;
  /** Flags that stand on the command line itself, by the names in `flags`. */
  given: ReadonlySet<string>;
  /** The command's name, for the run record. */
  command: string;
}

/** A command is data plus a short handler; what it works with comes in, or is loaded when it runs. */
export interface CommandSpec<F = object> {
  name: string;
  /** As commander writes it: `[ids...]`, `<file>`. */
  args?: string;
  summary: string;
  /** More, for the command's own help. */
  description?: string;
  /** Flags under their headings. */
  options: Record<string, Option[]>;
  /** A command line without the program's name, and what it does. */
  examples: readonly (readonly [string, string])[];
  run(input: Input<F>): Promise<ExitCode>;
}

/** Adds a command to the program; its handler hands the exit code to `done`. */
export const addCommand = <F>(program: Command, spec: CommandSpec<F>, io: Io, done: (code: ExitCode) => void): void => {
  const command = program.command(spec.args ? `${spec.name} ${spec.args}` : spec.name);
  command
    .summary(spec.summary)
    .description(spec.description ? `${spec.summary}.\n\n${spec.description}` : `${spec.summary}.`);
  for (const [heading, options] of Object.entries({ ...spec.options, "Talk (stderr)": displayOptions() }))
    for (const option of options) command.addOption(option.helpGroup(`${heading}:`));
  command.addHelpText("after", () => examples(spec.examples));
  command.action(async () => {
    const keys = command.options.map((option) => option.attributeName());
    const given = new Set(keys.filter((key) => command.getOptionValueSource(key) === "cli"));
    applyEnvironment(command, io);
    const flags = command.opts() as F & DisplayFlags;
    done(await spec.run({ args: command.args, flags, given, io, talk: createTalk(io, flags), command: spec.name }));
  });
};

const examples = (lines: CommandSpec["examples"]): string => {
  if (lines.length === 0) return "";
  return `\nExamples:\n${lines.map(([line, what]) => `  # ${what}\n  $ callarchive ${line}`).join("\n")}\n`;
};

/** The name of a flag's environment variable, for example `CALLARCHIVE_MIN_TURNS`. */
const variableOf = (option: Option): string =>
  `CALLARCHIVE_${option.name().replace(/^no-/, "NO_").replaceAll("-", "_").toUpperCase()}`;

/** Values that neither the command line nor the environment gave stay at their default. */
const applyEnvironment = (command: Command, { env }: Io): void => {
  for (const option of command.options) {
    const text = env[variableOf(option)];
    const key = option.attributeName();
    if (text === undefined || text === "" || command.getOptionValueSource(key) === "cli") continue;
    const value = fromVariable(option, text);
    if (value !== undefined) command.setOptionValueWithSource(key, value, "env");
  }
};

const fromVariable = (option: Option, text: string): unknown => {
  if (option.required || option.optional) {
    try {
      return option.parseArg ? option.parseArg(text, undefined as never) : text;
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      throw new CommanderError(2, "callarchive.env", `error: ${variableOf(option)} is invalid: "${text}". ${reason}`);
    }
  }
  if (!/^(1|true|yes|on|0|false|no|off)$/i.test(text))
    throw new CommanderError(
      2,
      "callarchive.env",
      `error: ${variableOf(option)} is invalid: "${text}". Write true or false.`,
    );
  const isOn = /^(1|true|yes|on)$/i.test(text);
  // "Not without": nothing to say, whatever the value is.
  if (option.negate && !isOn) return undefined;
  return isOn !== option.negate;
};
