import type { Io } from "../io.ts";

/** What can be read of a command line before it, or its configuration, is known to be valid. */
interface Hints {
  /** The value of `--log-format`. */
  logFormat?: string | undefined;
  /** The value of `--config`, false for `--no-config`. */
  config?: string | false | undefined;
  /** The command's name. */
  command?: string | undefined;
}

/**
The log format for a usage error: from the flag, else the environment, else the config file, as far as these can be read.
Never throws, because an error in one of them is the error that the caller is about to print.
*/
export const likelyLogFormat = async ({ logFormat, config, command }: Hints, io: Io): Promise<"text" | "json"> => {
  const format = logFormat ?? (io.env.CALLARCHIVE_LOG_FORMAT || (await ofFile(config, command, io)));
  return format === "json" ? "json" : "text";
};

/** The hints in a command line that is not parsed yet. */
export const hintsOf = (argv: readonly string[], command: string | undefined): Hints => {
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  const given = (name: string): string | undefined => {
    const at = words.findLastIndex((word) => word === name || word.startsWith(`${name}=`));
    return at < 0 ? undefined : words[at] === name ? (words[at + 1] ?? "") : words[at]?.slice(name.length + 1);
  };
  const config = words.includes("--no-config") ? false : given("--config");
  return { logFormat: given("--log-format"), config, command };
};

const ofFile = async (
  config: string | false | undefined,
  command: string | undefined,
  io: Io,
): Promise<string | undefined> => {
  try {
    const { readConfig } = await import("../config/file.ts");
    const file = await readConfig(config, io);
    if (!file) return undefined;
    const { parseSettings } = await import("../config/text.ts");
    const { entries, sections } = parseSettings(file.text);
    const own = sections.find(({ key }) => key === command)?.entries ?? [];
    return [...own, ...entries].find(({ key }) => key === "log-format")?.values[0]?.text;
  } catch {
    return undefined;
  }
};
