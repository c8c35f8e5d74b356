import type { Command } from "commander";
import { ReaderGone } from "../core/errors.ts";
import type { CommandEntry, CommandSpec } from "./command-spec.ts";
import { type ExitCode, exitCodeOf } from "./exit-codes.ts";
import { firstWords } from "./first-words.ts";
import type { Io } from "./io.ts";
import { configOptions, displayOptions } from "./options.ts";
import type { DisplayFlags } from "./terminal/logger.ts";
import { checkPrinted } from "./terminal/printed.ts";
import { unconfigured } from "./unconfigured.ts";

/** Adds a command without its flags, for help that only lists it. */
export const nameCommand = (program: Command, { name, args, summary }: CommandEntry): Command =>
  program
    .command(args ? `${name} ${args}` : name)
    .summary(summary)
    .exitOverride();

/** Adds a command to the program; its handler passes the exit code to `done`. */
export const addCommand = async (
  program: Command,
  entry: CommandEntry,
  io: Io,
  whole: () => Promise<Command>,
  done: (code: ExitCode) => void,
): Promise<void> => {
  const spec = (await entry.load()) as CommandSpec<object>;
  const { name, summary } = entry;
  const command = nameCommand(program, entry);
  if (entry.unconfigured) unconfigured.add(command);
  if (entry.firstWords) {
    firstWords.set(command, entry.firstWords);
    command.usage(`[options] [${entry.firstWords.join("|")}] ${entry.args}`);
  }
  command.description(spec.description ? `${summary}.\n\n${flowing(spec.description)}` : `${summary}.`);
  for (const argument of command.registeredArguments)
    if (entry.words || argument.name().includes("|")) argument.choices(argument.name().split("|"));
  const common = { Configuration: configOptions(), "Messages (stderr)": displayOptions() };
  for (const [heading, options] of Object.entries({ ...spec.options, ...common }))
    for (const option of options) command.addOption(option.helpGroup(`${heading}:`));
  command.addHelpText("after", () => examples(spec.examples));
  command.action(async () => {
    const keys = command.options.map((option) => option.attributeName());
    const given = new Set(keys.filter((key) => command.getOptionValueSource(key) === "cli"));
    const { createLogger } = await import("./terminal/logger.ts");
    // Until the configuration is read, only the command line decides how messages look.
    let logger = createLogger(io, command.opts() as DisplayFlags);
    try {
      if (!entry.unconfigured) {
        const { configure } = await import("./config/config.ts");
        await configure(command, whole, io).catch(async (error: unknown) => {
          const { likelyLogFormat } = await import("./terminal/log-format.ts");
          const { config, logFormat } = command.opts<{ config?: string | false; logFormat: "text" | "json" }>();
          const hints = { logFormat: given.has("logFormat") ? logFormat : undefined, config, command: name };
          logger = createLogger(io, {
            ...(command.opts() as DisplayFlags),
            logFormat: await likelyLogFormat(hints, io),
          });
          throw error;
        });
      }
      const flags = command.opts() as DisplayFlags;
      logger = createLogger(io, flags);
      const code = await spec.run({ args: command.args, flags, given, io, logger, command: name, program: whole });
      await checkPrinted(io);
      done(code);
    } catch (error) {
      const code = exitCodeOf(error);
      if (!(error instanceof ReaderGone))
        logger.fail((await import("./terminal/advice.ts")).advised(error, name), code);
      done(code);
    }
  });
};

/** Joins the lines of each paragraph: their line breaks are only the source's. */
const flowing = (text: string): string => text.replace(/(\S)\n(?=\S)/g, "$1 ");

const examples = (lines: CommandSpec["examples"]): string => {
  if (lines.length === 0) return "";
  return `\nExamples:\n${lines.map(([line, what]) => `  # ${what}\n  $ callarchive ${line}`).join("\n")}\n`;
};
