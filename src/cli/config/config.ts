import type { Command, Option } from "commander";
import { UsageError } from "../../core/errors.ts";
import { redactSecrets } from "../../core/secrets.ts";
import type { Io } from "../io.ts";
import { unconfigured } from "../unconfigured.ts";
import { type ConfigText, readConfig } from "./file.ts";
import { type Flag, flagsOf, fromEntry, fromVariable, NotAValue, variableOf } from "./flags.ts";
import { wrongNames, wrongVariables } from "./names.ts";
import type { Entry, Settings } from "./text.ts";

export type Source =
  | { from: "flag" | "default" }
  | { from: "env"; variable: string }
  | { from: "file"; file: string; line: number };

/** The value of a flag for a command, and where it comes from. */
export interface Setting {
  flag: Flag;
  value: unknown;
  source: Source;
  /** The text in the environment or the config file, for example `90s`; undefined from elsewhere. */
  text?: string;
}

/** The config file after its names were checked. */
export interface Config extends ConfigText {
  settings: Settings;
}

/** The commands that the environment and the config file apply to. */
export const configurable = async (whole: () => Promise<Command>): Promise<Command[]> =>
  (await whole()).commands.filter((command) => !unconfigured.has(command));

const prefix = ({ label }: ConfigText, line: number): string => `${label}:${line}`;

/** How many problems are printed: a file with more is probably not a config file. */
const MOST_PROBLEMS = 20;

/** @throws UsageError with each problem on a line of its own */
const refuse = (problems: readonly string[]): void => {
  if (problems.length === 0) return;
  const more = problems.length > MOST_PROBLEMS ? [`… and ${problems.length - MOST_PROBLEMS} more.`] : [];
  throw new UsageError([...problems.slice(0, MOST_PROBLEMS), ...more].join("\n"));
};

/**
Reads the config file, and checks its names and those of the environment.

@param flag the value of `--config`, false for `--no-config`
@throws UsageError
*/
export const loadConfig = async (
  flag: string | false | undefined,
  all: () => Promise<readonly Command[]>,
  io: Io,
): Promise<Config | undefined> => {
  refuse(await wrongVariables(io, all));
  const file = await readConfig(flag, io);
  if (!file) return undefined;
  const { parseSettings } = await import("./text.ts");
  const settings = parseSettings(file.text);
  const problems = settings.problems.length > 0 ? settings.problems : wrongNames(settings, await all());
  refuse(problems.map(({ line, text }) => `${prefix(file, line)}: ${text}`));
  return { ...file, settings };
};

/**
The value of each flag of a command: from the command line, else the environment, else the command's section of the config
file, else the rest of the file, else the default. A flag that conflicts with one from an earlier place is ignored.

@throws UsageError for values that a flag cannot take
*/
export const settingsOf = (command: Command, config: Config | undefined, io: Io): Setting[] => {
  const flags = flagsOf(command);
  const problems: string[] = [];
  const settings = new Map<string, Setting>();
  for (const flag of flags)
    if (command.getOptionValueSource(flag.attribute) === "cli")
      settings.set(flag.attribute, { flag, value: command.getOptionValue(flag.attribute), source: { from: "flag" } });
  const section = config?.settings.sections.find(({ key }) => key === command.name());
  for (const rank of [
    fromEnvironment(flags, io, problems),
    fromFile(flags, config, section?.entries ?? [], true, problems),
    fromFile(flags, config, config?.settings.entries ?? [], false, problems),
  ]) {
    const higher = [...settings.values()];
    for (const setting of rank)
      if (!settings.has(setting.flag.attribute) && !higher.some((each) => areInConflict(each, setting)))
        settings.set(setting.flag.attribute, setting);
  }
  refuse(problems);
  return flags.map(
    (flag) =>
      settings.get(flag.attribute) ?? {
        flag,
        value: command.getOptionValue(flag.attribute),
        source: { from: "default" },
      },
  );
};

/** Sets the command's flags from the environment and the config file. */
export const configure = async (command: Command, whole: () => Promise<Command>, io: Io): Promise<void> => {
  const named = command.getOptionValueSource("config") === "cli" ? command.getOptionValue("config") : undefined;
  const config = await loadConfig(named, () => configurable(whole), io);
  for (const { flag, value, source } of settingsOf(command, config, io))
    if (source.from === "env" || source.from === "file")
      command.setOptionValueWithSource(flag.attribute, value, source.from === "env" ? "env" : "config");
};

const fromEnvironment = (flags: readonly Flag[], { env }: Io, problems: string[]): Setting[] => {
  const found = new Map<string, Setting>();
  for (const flag of flags)
    for (const option of [flag.on, flag.off]) {
      const variable = option && variableOf(option);
      const text = variable && env[variable];
      if (!text) continue;
      const value = checked(
        () => `${variable} is invalid: "${redactSecrets(text)}".`,
        problems,
        () => fromVariable(flag, option, text),
      );
      // CALLARCHIVE_NO_X=false does not override a value in CALLARCHIVE_X.
      if (value === undefined || (option === flag.off && value !== false && found.has(flag.attribute))) continue;
      found.set(flag.attribute, { flag, value, source: { from: "env", variable }, text });
    }
  return [...found.values()];
};

const fromFile = (
  flags: readonly Flag[],
  config: Config | undefined,
  entries: readonly Entry[],
  isSection: boolean,
  problems: string[],
): Setting[] =>
  entries.flatMap((entry) => {
    // Skips flags of other commands. Outside a section, `agents` means --agent, never the emulator's --agents.
    const own = isSection || entry.key !== "agents" ? flags.find(({ key }) => key === entry.key) : undefined;
    const flag = own ?? (entry.key === "agents" ? flags.find(({ key }) => key === "agent") : undefined);
    if (!flag || !config) return [];
    const place = (at: number): string => `${prefix(config, entry.values[at]?.line ?? entry.line)}: ${entry.key}:`;
    const value = checked(place, problems, () => fromEntry(flag, entry));
    const text = entry.values.map((written) => written.text).join(",");
    return value === undefined
      ? []
      : [{ flag, value, source: { from: "file", file: config.label, line: entry.line }, text }];
  });

const checked = (place: (at: number) => string, problems: string[], make: () => unknown): unknown => {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof NotAValue)) throw error;
    problems.push(`${place(error.at)} ${error.message}`);
    return undefined;
  }
};

/** Whether two flags cannot be used together. */
const areInConflict = (a: Setting, b: Setting): boolean =>
  (a.value !== false && excludes(a.flag.on, b.flag)) || (a.value !== false && excludes(b.flag.on, a.flag));

const excludes = (option: Option | undefined, { attribute }: Flag): boolean =>
  // Public in commander, but not in its types.
  (option as { conflictsWith?: string[] } | undefined)?.conflictsWith?.includes(attribute) ?? false;
