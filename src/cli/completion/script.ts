import type { Command } from "commander";
import { LANGUAGES } from "../../core/sample.ts";
import { presets } from "../../presets/index.ts";
import { REDACT_CATEGORIES } from "../../transforms/redact/categories.ts";
import { writers } from "../../writers/index.ts";
import { bash } from "./bash.ts";
import { fish } from "./fish.ts";
import { completable } from "./model.ts";
import { zsh } from "./zsh.ts";

const shells = { bash, zsh, fish };
export type Shell = keyof typeof shells;

/** The completion script for a shell. It contains all names and values, so completing runs no command. */
export const completionScript = (shell: Shell, program: Command): string =>
  shells[shell](
    completable(program, {
      format: Object.keys(writers),
      preset: Object.keys(presets),
      language: LANGUAGES,
      redact: [...REDACT_CATEGORIES, "all"],
    }),
  );
