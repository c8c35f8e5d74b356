import { Command, CommanderError, Help } from "commander";
import { VERSION } from "../app/version.ts";
import { messageOf } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { addCommand, nameCommand } from "./command.ts";
import type { CommandEntry } from "./command-spec.ts";
import { commands } from "./commands/index.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { helpWidth } from "./terminal/help-width.ts";
import { checkPrinted } from "./terminal/printed.ts";

const INTRO = `Downloads every conversation from Alibaba Cloud's Real-time Conversational AI once, keeps it whole in an archive, and exports it as NDJSON, CSV or fine-tuning chat files, as often as you like.`;

const OUTRO = `
Start here:
  $ callarchive demo                 try it without an account
  $ callarchive doctor               check credentials, permissions and network
  $ callarchive export ID            one call, to standard output
`;

const OUTRO_LINES = [
  "Every flag can be set in the environment (CALLARCHIVE_ARCHIVE, CALLARCHIVE_MIN_TURNS, …) and in a config file.",
  "Exit codes: 0 complete, 1 failure, 2 usage, 3 partial, 4 credentials, permission or clock, 5 temporary (run again), 10 --max-duration reached, 11 another run holds the archive, 129, 130 and 143 interrupted.",
];

const outro = (width: number): string => {
  const help = new Help();
  return `${OUTRO}\n${OUTRO_LINES.map((line) => help.boxWrap(line, width)).join("\n")}\n`;
};

/** The program; only wanted commands have their flags, the others only their names. */
const assemble = async (
  isWanted: (entry: CommandEntry) => boolean,
  io: Io,
  done: (code: ExitCode) => void,
  complain: (text: string) => void,
): Promise<Command> => {
  const program = new Command("callarchive")
    .description(INTRO)
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help of a command")
    .addHelpText("after", () => outro(helpWidth(io)))
    .configureHelp({ showGlobalOptions: false, minWidthToWrap: 16 })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: complain,
      getOutHelpWidth: () => helpWidth(io),
      getErrHelpWidth: () => helpWidth(io),
    })
    .exitOverride()
    .showHelpAfterError("(add --help for the flags and examples)");
  let assembled: Promise<Command> | undefined;
  const whole = (): Promise<Command> => (assembled ??= assemble(() => true, io, done, complain));
  for (const entry of commands) {
    if (isWanted(entry)) await addCommand(program, entry, io, whole, done);
    else nameCommand(program, entry);
  }
  return program;
};

/** The exit code after help was printed on request. */
const helpGiven = async (io: Io): Promise<ExitCode> => {
  try {
    await checkPrinted(io);
    return EXIT.complete;
  } catch (error) {
    io.stderr.write(`callarchive: ${messageOf(error)}\n`);
    return EXIT.failure;
  }
};

/** Runs one command line and returns the exit code. Prints errors that a user can cause, and does not throw them. */
export const run = async (argv: readonly string[], io: Io): Promise<ExitCode> => {
  let code: ExitCode = EXIT.complete;
  // Only this command needs its flags.
  const named = argv.find((word) => word !== "help" && !word.startsWith("-"));
  let complaint = "";
  const program = await assemble(
    ({ name }) => name === named,
    io,
    (result) => {
      code = result;
    },
    (text) => {
      complaint += text;
    },
  );
  try {
    if (argv.length === 0) {
      program.outputHelp({ error: true });
      io.stderr.write(complaint);
      return EXIT.usage;
    }
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    // commander ends like this after help or the version.
    if (error instanceof CommanderError && error.exitCode === 0) return helpGiven(io);
    const exitCode = error instanceof CommanderError ? EXIT.usage : exitCodeOf(error);
    const { hintsOf, likelyLogFormat } = await import("./terminal/log-format.ts");
    const logFormat = await likelyLogFormat(hintsOf(argv, named), io);
    if (error instanceof CommanderError && logFormat === "text") io.stderr.write(printable(complaint));
    else {
      const { createLogger } = await import("./terminal/logger.ts");
      const logger = createLogger(io, { logFormat, progress: false, color: "never" });
      logger.fail(messageOf(error).replace(/^error: /, ""), exitCode);
    }
    return exitCode;
  }
};
