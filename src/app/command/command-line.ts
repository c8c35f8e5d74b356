import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { UsageError } from "../../core/errors.ts";
import type { Host } from "../context.ts";

/** A program and its arguments. */
export interface CommandLine {
  /** An absolute path. */
  program: string;
  args: string[];
}

const WORD = /(?:[^\s'"]|'[^']*'|"[^"]*")+/y;

/**
Splits a command at spaces; quotes hold a word together. No shell reads it, so there are no variables, pipes or wildcards.

@param flag where it was given, for messages
@throws UsageError if it is empty, or a quote is not closed, or there is no such program
*/
export const commandLineOf = (text: string, flag: string, host: Pick<Host, "env" | "cwd">): CommandLine => {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? "")) at += 1;
    if (at >= text.length) break;
    WORD.lastIndex = at;
    const [word] = WORD.exec(text) ?? [];
    if (word === undefined) throw new UsageError(`${flag} has a quote that is not closed.`);
    words.push(word.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ""));
    at += word.length;
  }
  const [name, ...args] = words;
  if (name === undefined || name === "") throw new UsageError(`${flag} names no program.`);
  return { program: programOf(name, flag, host), args };
};

const programOf = (name: string, flag: string, { env, cwd }: Pick<Host, "env" | "cwd">): string => {
  const places = name.includes("/") ? [cwd] : (env.PATH ?? "").split(delimiter).filter((place) => place !== "");
  const found = places.map((place) => resolve(cwd, place, name)).find(isProgram);
  if (found === undefined) throw new UsageError(`${flag}: there is no program "${name}".`);
  return found;
};

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};
