import type { Argument, Command, Option } from "commander";
import { isList, takesValue } from "../config/flags.ts";
import { firstWords } from "../first-words.ts";

/** What can be completed in one place: words, files or folders; nothing if only the user knows the value. */
export interface Candidates {
  words: readonly string[];
  files?: "file" | "folder";
  /** The value is a list separated by commas. */
  list?: boolean;
}

export interface CompletedFlag {
  /** The long name first: `--ids`, `-i`. */
  names: readonly string[];
  summary: string;
  /** Undefined for a flag without a value. */
  value?: Candidates;
}

export interface CompletedCommand {
  name: string;
  summary: string;
  flags: readonly CompletedFlag[];
  /** The last one is repeated if it is `many`. */
  args: readonly (Candidates & { many: boolean })[];
}

/**
The parts of a program that can be completed.

@param words by flag, the values of flags whose definition does not list them
*/
export const completable = (program: Command, words: Record<string, readonly string[]>): CompletedCommand[] => {
  const names = [...program.commands.map((command) => command.name()), "help"];
  return [
    ...program.commands.map((command) => ({
      name: command.name(),
      summary: short(command.summary()),
      flags: [...command.options.filter(({ hidden }) => !hidden).map((option) => flag(option, words)), HELP],
      args: [
        ...(firstWords.has(command) ? [{ words: firstWords.get(command) ?? [], many: false }] : []),
        ...command.registeredArguments.map((argument) => positional(argument, names)),
      ],
    })),
    { name: "help", summary: "print help of a command", flags: [], args: [{ words: names, many: false }] },
  ];
};

const HELP: CompletedFlag = { names: ["--help", "-h"], summary: "print help" };

/** The flags that can stand before a command. */
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
      ...filesFor(/[<[]([\w/|-]+)/.exec(option.flags)?.[1] ?? ""),
    },
  }),
});

const positional = (argument: Argument, commands: readonly string[]): Candidates & { many: boolean } => ({
  words: argument.argChoices ?? (argument.name() === "command" ? commands : []),
  many: argument.variadic,
  ...filesFor(argument.name()),
});

/** Files or folders, by the name of a value in the help. */
const filesFor = (name: string): Pick<Candidates, "files"> => {
  if (/^(folder|dir)/.test(name)) return { files: "folder" };
  return /^(file|path|place|output)|\|file/.test(name) ? { files: "file" } : {};
};

/** The first words of a description, as many as fit beside a flag. */
const short = (text: string): string => {
  const [first = ""] = text.split(/;| \(/);
  return first.length > 80 ? `${first.slice(0, 79).trimEnd()}…` : first;
};
