import type { Command } from "commander";
import { writers } from "../../writers/index.ts";
import { bash } from "./completion-bash.ts";
import { fish } from "./completion-fish.ts";
import { completable } from "./completion-model.ts";
import { zsh } from "./completion-zsh.ts";

const shells = { bash, zsh, fish };
export type Shell = keyof typeof shells;

/** The completion script for a shell; it knows all by itself, and runs nothing when a key is pressed. */
export const completionScript = (shell: Shell, program: Command): string =>
  shells[shell](completable(program, { format: Object.keys(writers) }));
