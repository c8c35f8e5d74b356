import { Option } from "commander";
import { UsageError } from "../../core/errors.ts";
import type { CommandSpec } from "../command-spec.ts";
import { EXIT } from "../exit-codes.ts";

type ConfigFlags = { config?: string | false; json?: boolean };

export const config: CommandSpec<ConfigFlags> = {
  description: `Every flag has three more places: the environment (CALLARCHIVE_MIN_TURNS), the config file (min-turns: 4), and its default,
in this order. \`config path\` names the file in use. Secrets are never shown.`,
  options: { Output: [new Option("--json", "as one JSON object")] },
  examples: [
    ["config show", "every flag of every command"],
    ["config show export", "what `export` would go by"],
    ["config path", "the config file, if there is one"],
  ],
  run: async ({ args: [what, name], flags, io, logger, program }) => {
    const { readConfig, usualPlaces } = await import("../config/file.ts");
    const { configurable, loadConfig } = await import("../config/config.ts");
    const { effective, showJson, showTable } = await import("../config/show.ts");
    if (what === "path") {
      const file = await readConfig(flags.config, io);
      if (flags.json) io.stdout.write(`${JSON.stringify({ file: file?.path ?? null })}\n`);
      else if (file) io.stdout.write(`${file.path}\n`);
      else logger.message(`There is no config file. It can be ${usualPlaces(io)[0]}, or what --config names.`);
      return EXIT.complete;
    }
    const all = await configurable(program);
    const commands = all.filter((command) => name === undefined || command.name() === name);
    if (commands.length === 0)
      throw new UsageError(`Nothing configures "${name}". There are: ${all.map((each) => each.name()).join(", ")}.`);
    const loaded = await loadConfig(flags.config, async () => all, io);
    const rows = effective(commands, loaded, io);
    if (flags.json) io.stdout.write(`${JSON.stringify(showJson(loaded?.path, rows))}\n`);
    else io.stdout.write(`${showTable(rows, commands.length)}\n`);
    if (!loaded) logger.message("There is no config file.");
    return EXIT.complete;
  },
};
