import type { Command, Option } from "commander";
import { messageOf, ReaderGone } from "../core/errors.ts";
import { type ExitCode, exitCodeOf } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import type { DisplayFlags, Talk } from "./log.ts";
import { configOptions, displayOptions } from "./options.ts";

export interface Input<F> {
  args: string[];
  flags: F & DisplayFlags;
  io: Io;
  talk: Talk;
  /** Flags that stand on the command line itself, by the names in `flags`. */
  given: ReadonlySet<string>;
  /** The command's name, for the run record. */
  command: string;
  /** All of the command line, for commands that speak of it. */
  program: Command;
}

/** A command is data plus a short handler; what it works with comes in, or is loaded when it runs. */
export interface CommandSpec<F = object> {
  name: string;
  /** As commander writes it: `[ids...]`, `<file>`; `<one|other>` takes one of these words. */
  args?: string;
  summary: string;
  /** More, for the command's own help. */
  description?: string;
  /** Flags under their headings. */
  options: Record<string, Option[]>;
  /** A command line without the program's name, and what it does. */
  examples: readonly (readonly [string, string])[];
  /** Neither the environment nor the config file sets its flags: it works when they are wrong. */
  unconfigured?: true;
  run(input: Input<F>): Promise<ExitCode>;
}

/** Adds a command to the program; its handler hands the exit code to `done`. */
export const addCommand = <F>(program: Command, spec: CommandSpec<F>, io: Io, done: (code: ExitCode) => void): void => {
  const command = program.command(spec.args ? `${spec.name} ${spec.args}` : spec.name);
  command
    .summary(spec.summary)
    .description(spec.description ? `${spec.summary}.\n\n${spec.description}` : `${spec.summary}.`);
  for (const argument of command.registeredArguments)
    if (argument.name().includes("|")) argument.choices(argument.name().split("|"));
  const common = { Configuration: configOptions(), "Talk (stderr)": displayOptions() };
  for (const [heading, options] of Object.entries({ ...spec.options, ...common }))
    for (const option of options) command.addOption(option.helpGroup(`${heading}:`));
  command.addHelpText("after", () => examples(spec.examples));
  command.action(async () => {
    const keys = command.options.map((option) => option.attributeName());
    const given = new Set(keys.filter((key) => command.getOptionValueSource(key) === "cli"));
    const { createTalk } = await import("./log.ts");
    // Until the configuration is read, as the command line alone would have it.
    let talk = createTalk(io, command.opts() as F & DisplayFlags);
    try {
      if (!spec.unconfigured) {
        const { configure } = await import("./config.ts");
        await configure(command, program, io);
      }
      const flags = command.opts() as F & DisplayFlags;
      talk = createTalk(io, flags);
      done(await spec.run({ args: command.args, flags, given, io, talk, command: spec.name, program }));
    } catch (error) {
      const code = exitCodeOf(error);
      if (!(error instanceof ReaderGone)) talk.fail(messageOf(error), code);
      done(code);
    }
  });
};

const examples = (lines: CommandSpec["examples"]): string => {
  if (lines.length === 0) return "";
  return `\nExamples:\n${lines.map(([line, what]) => `  # ${what}\n  $ callarchive ${line}`).join("\n")}\n`;
};
