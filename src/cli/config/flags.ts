import type { Command, Option } from "commander";
import { messageOf } from "../../core/errors.ts";
import type { Entry } from "./text.ts";

/** The flags behind one key of the config file: `archive` is --archive and --no-archive, `progress` is --no-progress. */
export interface Flag {
  /** The name in the config file: the flag's name without `no-`. */
  key: string;
  /** The name in the command's `flags`. */
  attribute: string;
  on?: Option;
  off?: Option;
}

/** The flags of a command that the environment and the config file can set: all but --config. */
export const flagsOf = (command: Command): Flag[] => {
  const flags = new Map<string, Flag>();
  for (const option of command.options) {
    const attribute = option.attributeName();
    if (attribute === "config") continue;
    const key = option.negate ? option.name().replace(/^no-/, "") : option.name();
    flags.set(attribute, { key, attribute, ...flags.get(attribute), [option.negate ? "off" : "on"]: option });
  }
  return [...flags.values()];
};

/** The name of a flag's environment variable, for example `CALLARCHIVE_MIN_TURNS`, `CALLARCHIVE_NO_PROGRESS`. */
export const variableOf = (option: Option): string => `CALLARCHIVE_${option.name().replaceAll("-", "_").toUpperCase()}`;

/** A text that is not a value of the flag; the message says what is. */
export class NotAValue extends Error {
  /** The index of the wrong value in a list. */
  readonly at: number;
  constructor(message: string, at = 0) {
    super(message);
    this.at = at;
  }
}

/** @throws NotAValue */
export const fromVariable = ({ on }: Flag, option: Option, text: string): unknown => {
  if (takesValue(option)) return parsed(option, [text]);
  const isOn = truth(text);
  if (!option.negate) return isOn;
  // CALLARCHIVE_NO_X=false gives the default of --x.
  return isOn ? false : on && takesValue(on) ? on.defaultValue : true;
};

/** @throws NotAValue */
export const fromEntry = ({ on, off }: Flag, { values, list }: Entry): unknown => {
  const [first, ...more] = values;
  if (!first || values.some(({ text, plain }) => plain && /^(~|null|)$/i.test(text)))
    return raise("The value is missing.");
  if (on && takesValue(on)) {
    const word = first.plain && more.length === 0 ? first.text.toLowerCase() : "";
    if (off && /^(false|no|off)$/.test(word)) return false;
    if (on.optional && word === "true") return true;
    return parsed(
      on,
      values.map(({ text }) => text),
    );
  }
  return list ? raise("Write true or false, not a list.") : truth(first.text);
};

/** Whether a flag is repeatable: its parser then returns a list. */
export const isList = (option: Option): boolean => {
  if (option.variadic) return true;
  try {
    return Array.isArray(option.parseArg?.(option.argChoices?.[0] ?? "x", undefined));
  } catch {
    return false;
  }
};

export const takesValue = ({ required, optional }: Option): boolean => required || optional;

const parsed = (option: Option, texts: readonly string[]): unknown => {
  if (option.variadic && !option.parseArg) return [...texts];
  let value: unknown;
  for (const [at, text] of texts.entries())
    try {
      value = option.parseArg ? option.parseArg(text, value) : text;
    } catch (error) {
      throw new NotAValue(messageOf(error), at);
    }
  return texts.length > 1 && !Array.isArray(value) ? raise("Write one value, not a list.") : value;
};

const truth = (text: string): boolean => {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  return /^(0|false|no|off)$/i.test(text) ? false : raise("Write true or false.");
};

const raise = (message: string): never => {
  throw new NotAValue(message);
};
