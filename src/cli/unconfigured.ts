import type { Command } from "commander";

/** Commands that ignore the environment and the config file, so that they work when these are wrong. */
export const unconfigured = new WeakSet<Command>();
