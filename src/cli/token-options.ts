import { Option } from "commander";
import { DEFAULT_TOKENIZER } from "../app/defaults.ts";
import { whole } from "./values.ts";

/** How rows are counted, the same for making and for checking them. */
export const tokenOptions = (): Option[] => [
  new Option(
    "--max-tokens <n>",
    "largest size of a sample in tokens, counted with the chat template of the model",
  ).argParser(whole(1)),
  new Option(
    "--tokenizer <name|file>",
    `count tokens with qwen3, o200k, or a tokenizer.json with its template beside it (default with --max-tokens: ${DEFAULT_TOKENIZER})`,
  ),
];
