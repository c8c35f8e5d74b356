import type { Command } from "commander";

/** Commands whose flags neither the environment nor the config file sets: they work when both are wrong. */
export const unconfigured = new WeakSet<Command>();
