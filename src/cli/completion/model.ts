import type { Argument, Command, Option } from "commander";
import { isList, takesValue } from "../config/flags.ts";

/** What can stand in a place: one of some words, a file, a folder, or what only the user knows. */
export interface Candidates {
  words: readonly string[];
  files?: "file" | "folder";
  /** Several, with commas between. */
  list?: boolean;
}

export interface CompletedFlag {
  /** Long first: `--ids`, `-i`. */
  names: readonly string[];
  summary: string;
  /** Undefined for a flag without a value. */
  value?: Candidates;
}

export interface CompletedCommand {
  name: string;
  summary: string;
  flags: readonly CompletedFlag[];
  /** The last stands for all that follow when it is `many`. */
  args: readonly (Candidates & { many: boolean })[];
}

/**
What of a program can be completed.

@param words values of flags whose own definition does not name them, by the flag's name
*/
export const completable = (program: Command, words: Record<string, readonly string[]>): CompletedCommand[] => {
  const names = [...program.commands.map((command) => command.name()), "help"];
  return [
    ...program.commands.map((command) => ({
      name: command.name(),
      summary: short(command.summary()),
      flags: [...command.options.filter(({ hidden }) => !hidden).map((option) => flag(option, words)), HELP],
      args: command.registeredArguments.map((argument) => positional(argument, names)),
    })),
    { name: "help", summary: "print help of a command", flags: [], args: [{ words: names, many: false }] },
  ];
};

const HELP: CompletedFlag = { names: ["--help", "-h"], summary: "print help" };

/** Before any command. */
export const programFlags: readonly CompletedFlag[] = [
  HELP,
  { names: ["--version", "-V"], summary: "print the version" },
];

const flag = (option: Option, words: Record<string, readonly string[]>): CompletedFlag => ({
  names: [option.long, option.short].filter((name) => name !== undefined),
  summary: short(option.description),
  ...(takesValue(option) && {
    value: {
      words: option.argChoices ?? words[option.name()] ?? [],
      list: isList(option),
      ...placeNamed(/[<[]([\w/|-]+)/.exec(option.flags)?.[1] ?? ""),
    },
  }),
});

const positional = (argument: Argument, commands: readonly string[]): Candidates & { many: boolean } => ({
  words: argument.argChoices ?? (argument.name() === "command" ? commands : []),
  many: argument.variadic,
  ...placeNamed(argument.name()),
});

/** By what the help calls a value. */
const placeNamed = (name: string): Pick<Candidates, "files"> => {
  if (/^(folder|dir)/.test(name)) return { files: "folder" };
  return /^(file|path|place|output)|\|file/.test(name) ? { files: "file" } : {};
};

/** The beginning of a description, as much as fits beside a flag. */
const short = (text: string): string => {
  const [first = ""] = text.split(/;| \(/);
  return first.length > 80 ? `${first.slice(0, 79).trimEnd()}…` : first;
};
