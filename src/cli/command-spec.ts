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
  /** All of the command line, for those that speak of it: each command with its flags. */
  program: () => Promise<Command>;
}

/** A command is data plus a short handler; what it works with comes in, or is loaded when it runs. */
export interface CommandSpec<F = object> {
  /** More, for the command's own help. */
  description?: string;
  /** Flags under their headings. */
  options: Record<string, Option[]>;
  /** A command line without the program's name, and what it does. */
  examples: readonly (readonly [string, string])[];
  run(input: Input<F>): Promise<ExitCode>;
}

/** What the list of commands says of one. */
export interface CommandEntry {
  name: string;
  /** As commander writes it: `[ids...]`, `<file>`; `<one|other>` takes one of these words. */
  args?: string;
  summary: string;
  /** Its argument takes the words in it, also where that is only one. */
  words?: true;
  /** Neither the environment nor the config file sets its flags: it works when they are wrong. */
  unconfigured?: true;
  load(): Promise<CommandSpec<never>>;
}
