import { Option } from "commander";
import type { CommandSpec } from "../command.ts";
import { EXIT } from "../exit-codes.ts";

export const demo: CommandSpec<{ output: string }> = {
  options: { Output: [new Option("-o, --output <folder>", "where the files go").default("callarchive-demo")] },
  examples: [["demo", "a week of 60 invented calls, in every format"]],
  run: async (input) => {
    const { runDemo } = await import("../../app/demo.ts");
    await runDemo(input);
    return EXIT.complete;
  },
};
