import { Option } from "commander";
import { UsageError } from "../../core/errors.ts";
import type { CommandSpec } from "../command-spec.ts";
import { EXIT } from "../exit-codes.ts";

type ConfigFlags = { config?: string | false; json?: boolean };

export const config: CommandSpec<ConfigFlags> = {
  description: `Every flag can also be set in the environment (CALLARCHIVE_MIN_TURNS) and in the config file (min-turns: 4). The command
line comes first, then the environment, the config file, and the default. \`config path\` prints the config file in use.
Secrets are never shown.`,
  options: { Output: [new Option("--json", "as one JSON object")] },
  examples: [
    ["config show", "every flag of every command"],
    ["config show export", "the values that `export` would use"],
    ["config path", "the path of the config file, if there is one"],
  ],
  run: async ({ args: [what, name], flags, io, logger, program }) => {
    const { readConfig, usualPlaces } = await import("../config/file.ts");
    const { configurable, loadConfig } = await import("../config/config.ts");
    const { effective, showJson, showTable } = await import("../config/show.ts");
    if (what === "path") {
      const file = await readConfig(flags.config, io);
      if (flags.json) io.stdout.write(`${JSON.stringify({ file: file?.path ?? null })}\n`);
      else if (file) io.stdout.write(`${file.path}\n`);
      else logger.message(`There is no config file. Create ${usualPlaces(io)[0]}, or name a file with --config.`);
      return EXIT.complete;
    }
    const all = await configurable(program);
    const commands = all.filter((command) => name === undefined || command.name() === name);
    if (commands.length === 0)
      throw new UsageError(
        `"${name}" is not a command that can be configured. These are: ${all.map((each) => each.name()).join(", ")}.`,
      );
    const loaded = await loadConfig(flags.config, async () => all, io);
    const rows = effective(commands, loaded, io);
    if (flags.json) io.stdout.write(`${JSON.stringify(showJson(loaded?.path, rows))}\n`);
    else io.stdout.write(`${showTable(rows, commands.length)}\n`);
    if (!loaded) logger.message("There is no config file.");
    return EXIT.complete;
  },
};
