import { Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { EXIT } from "../exit-codes.ts";
import { presetNames } from "../preset-names.ts";

type CheckFlags = { preset?: string; json?: boolean };

export const check: CommandSpec<CheckFlags> = {
  description: `Reads JSON lines (.jsonl, .jsonl.gz) or folders of them, from any tool, and prints which lines a trainer would refuse,
drop or misread: the first ten lines per rule, all with -v. Exit code 0: no errors, 3: errors.`,
  options: {
    Rules: [
      new Option(
        "--preset <name>",
        `trainer whose rules apply: ${presetNames()} (default: guessed from the shape of the rows)`,
      ),
    ],
    Output: [new Option("--json", "one JSON object per finding, then one per file")],
  },
  examples: [
    ["check train.jsonl --preset bailian", "before an upload to Model Studio"],
    ["check out/ --preset llama-factory", "a folder: each split, and whether the splits fit together"],
  ],
  run: async ({ args, flags, io }) => {
    const { runCheck } = await import("../../app/check.ts");
    const { createFindingPrinter } = await import("../terminal/findings.ts");
    const { printer } = await import("../terminal/stdout.ts");
    const { preset } = flags;
    const listener = createFindingPrinter(printer(io.stdout), flags);
    const errors = await runCheck({ paths: args, ...(preset !== undefined && { preset }) }, io, listener);
    return errors > 0 ? EXIT.partial : EXIT.complete;
  },
};
