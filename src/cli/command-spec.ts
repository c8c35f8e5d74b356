import type { Command, Option } from "commander";
import type { ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import type { DisplayFlags, Logger } from "./terminal/logger.ts";

export interface Input<F> {
  args: string[];
  flags: F & DisplayFlags;
  io: Io;
  logger: Logger;
  /** Flags that stand on the command line itself, by the names in `flags`. */
  given: ReadonlySet<string>;
  /** The command's name, for the run record. */
  command: string;
  /** The whole program, each command with its flags: for `config` and `completion`. */
  program: () => Promise<Command>;
}

/** A command is data and a short handler. The handler loads what it needs when it runs. */
export interface CommandSpec<F = object> {
  /** Further text for the help of this command. */
  description?: string;
  /** Flags by the heading that the help shows them under. */
  options: Record<string, Option[]>;
  /** Pairs of a command line, without the program's name, and what it does. */
  examples: readonly (readonly [string, string])[];
  run(input: Input<F>): Promise<ExitCode>;
}

/** One command in the list of commands. */
export interface CommandEntry {
  name: string;
  /** As commander writes it: `[ids...]`, `<file>`; `<one|other>` takes one of these words. */
  args?: string;
  summary: string;
  /** Words that the first argument may be, besides what `args` says; for completion. */
  firstWords?: readonly string[];
  /** The argument's name is its only allowed value, as in `<unlock>`. */
  words?: true;
  /** Ignores the environment and the config file, so that it works when they are wrong. */
  unconfigured?: true;
  load(): Promise<CommandSpec<never>>;
}
