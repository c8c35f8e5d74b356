import type { CommandEntry } from "../command-spec.ts";

/**
Every command, in the order of the help. Its flags are loaded when something asks for them, and what it works with when it
runs: help and version load nothing that they do not show.
*/
export const commands: readonly CommandEntry[] = [
  {
    name: "export",
    args: "[ids...]",
    summary: "Fetch calls and write their transcripts",
    load: async () => (await import("./export.ts")).exportCommand,
  },
  {
    name: "pull",
    args: "[ids...]",
    summary: "Fetch calls into the archive, and write nothing else",
    load: async () => (await import("./pull.ts")).pullCommand,
  },
  {
    name: "dataset",
    args: "[ids...]",
    summary: "Make a fine-tuning data set from the archive",
    load: async () => (await import("./dataset.ts")).dataset,
  },
  {
    name: "list",
    summary: "List the calls that the archive knows",
    load: async () => (await import("./list.ts")).list,
  },
  {
    name: "show",
    args: "<id>",
    summary: "Print one call of the archive",
    load: async () => (await import("./show.ts")).show,
  },
  {
    name: "status",
    summary: "Say what the archive holds",
    load: async () => (await import("./status.ts")).status,
  },
  {
    name: "ack",
    args: "[ids...]",
    summary: "Settle calls that cannot be had, so that they no longer count",
    load: async () => (await import("./ack.ts")).ack,
  },
  {
    name: "verify",
    args: "[outputs...]",
    summary: "Check the archive, outputs against their manifests, and the archive against the cloud",
    load: async () => (await import("./verify.ts")).verify,
  },
  {
    name: "prune",
    summary: "Delete what the archive holds of old calls, by a retention rule",
    load: async () => (await import("./prune.ts")).prune,
  },
  {
    name: "forget",
    args: "<ids...>",
    summary: "Delete what the archive holds of these calls, and name the outputs that still hold them",
    load: async () => (await import("./forget.ts")).forget,
  },
  {
    name: "archive",
    args: "<unlock>",
    words: true,
    summary: "Take the archive from a run that is gone",
    load: async () => (await import("./archive.ts")).archive,
  },
  {
    name: "check",
    args: "<paths...>",
    summary: "Check fine-tuning files before a trainer silently drops half of them",
    load: async () => (await import("./check.ts")).check,
  },
  {
    name: "doctor",
    summary: "Check Node, credentials, network, clock and permissions, and say what to do",
    load: async () => (await import("./doctor.ts")).doctor,
  },
  {
    name: "emulate",
    summary: "Play the cloud on this machine, to try things without an account",
    load: async () => (await import("./emulate.ts")).emulate,
  },
  {
    name: "demo",
    summary: "Show the main job at work, against the emulator: no account, no network",
    load: async () => (await import("./demo.ts")).demo,
  },
  {
    name: "config",
    args: "<show|path> [command]",
    summary: "Check the configuration, and say what each flag is worth and where that comes from",
    unconfigured: true,
    load: async () => (await import("./config.ts")).config,
  },
  {
    name: "completion",
    args: "<bash|zsh|fish>",
    summary: "Print a script that completes commands, flags and their values in a shell",
    unconfigured: true,
    load: async () => (await import("./completion.ts")).completion,
  },
];
