import { Option } from "commander";
import type { CheckRequest } from "../../app/check/check.ts";
import type { CommandSpec } from "../command-spec.ts";
import { EXIT } from "../exit-codes.ts";
import { presetNames } from "../preset-names.ts";
import { tokenOptions } from "../token-options.ts";
import { whole } from "../values.ts";

type CheckFlags = Omit<CheckRequest, "paths"> & { json?: boolean };

export const check: CommandSpec<CheckFlags> = {
  description: `Reads JSON lines (.jsonl, .jsonl.gz), Parquet (.parquet) or folders of them, from any tool, and prints which lines a trainer would refuse,
drop or misread: the first ten lines per rule, all with -v. Exit code 0: no errors, 3: errors.`,
  options: {
    Rules: [
      new Option(
        "--preset <name>",
        `trainer whose rules apply: ${presetNames()} (default: guessed from the shape of the rows)`,
      ),
      ...tokenOptions(),
      new Option("--max-characters <n>", "report rows with more characters in all texts together").argParser(whole(1)),
    ],
    Output: [
      new Option(
        "--fix <file>",
        "write a copy to this new file (.jsonl) without empty lines, copies of rows, Windows line ends, control characters and control tokens, then check the copy",
      ),
      new Option("--json", "one JSON object per finding, then one per file"),
    ],
  },
  examples: [
    ["check train.jsonl --preset bailian", "before an upload to Model Studio"],
    ["check train.jsonl --fix mended.jsonl", "a copy in which is mended what has one right answer"],
    ["check out/ --preset llama-factory", "a folder: each split, and whether the splits fit together"],
  ],
  run: async ({ args, flags, io }) => {
    const { runCheck } = await import("../../app/check/check.ts");
    const { createFindingPrinter } = await import("../terminal/findings.ts");
    const { printer } = await import("../terminal/stdout.ts");
    const { preset, fix, maxTokens, maxCharacters, tokenizer } = flags;
    const listener = createFindingPrinter(printer(io.stdout), flags);
    const request = {
      paths: args,
      ...(preset !== undefined && { preset }),
      ...(fix !== undefined && { fix }),
      ...(maxTokens !== undefined && { maxTokens }),
      ...(maxCharacters !== undefined && { maxCharacters }),
      ...(tokenizer !== undefined && { tokenizer }),
    };
    const errors = await runCheck(request, io, listener);
    return errors > 0 ? EXIT.partial : EXIT.complete;
  },
};
