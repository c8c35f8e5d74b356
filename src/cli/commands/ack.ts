import { Option } from "commander";
import { TROUBLE } from "../../core/archive.ts";
import type { CommandSpec } from "../command.ts";
import { type AckFlags, archiveOption, dryRunOption, runOptions, selectionOptions } from "../options.ts";

export const ack: CommandSpec<AckFlags> = {
  description:
    "For missing, invalid and failed calls that somebody has looked at. They no longer count in any exit code, hold no cursor, and are not asked for again except with --refresh. What the archive has of them stays.",
  options: {
    Selection: [
      ...selectionOptions().filter(({ long }) => long === "--ids"),
      new Option("--all", "every missing, invalid or failed call of the archive"),
      new Option("--state <state>", "every call in this state").choices(TROUBLE),
    ],
    Control: [
      new Option("--undo", "take it back: from then on they count and are asked for as before"),
      dryRunOption(),
    ],
    Archive: [archiveOption(), ...runOptions()],
  },
  examples: [
    ["ack ID", "one call, as `status --failed` or an error file names it"],
    ["ack -i trouble.ndjson", "all calls of an error file"],
    ["ack --state missing -n", "which calls are missing"],
  ],
  run: async (input) => {
    const { runAck } = await import("../jobs/acknowledging.ts");
    return runAck(input);
  },
};
