import type { CommandSpec, Input } from "../command.ts";
import type { ExitCode } from "../exit-codes.ts";
import { archiveOption, cloudOptions, type PullCommandFlags, pullOptions, selectionOptions } from "../options.ts";

export const pullCommand: CommandSpec<PullCommandFlags> = {
  options: {
    Selection: selectionOptions(),
    Archive: [archiveOption(), ...pullOptions()],
    Service: cloudOptions(),
  },
  examples: [
    ["pull --agent AGENT --since 24h", "the last day of one agent"],
    ["pull -i ids.txt", "the calls that a file names"],
  ],
  run: async (input: Input<PullCommandFlags>): Promise<ExitCode> => {
    const { runPull } = await import("../../app/pull/pull.ts");
    return runPull(input);
  },
};
