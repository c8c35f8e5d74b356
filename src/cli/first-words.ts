import type { Command } from "commander";

/** Words that the first argument of a command may be, besides what its definition says. */
export const firstWords = new WeakMap<Command, readonly string[]>();
