import type { CommandEntry } from "../command-spec.ts";

/**
Every command, in the order of the help. Its flags are loaded on demand, and its collaborators when it runs, because
loading them all would make --help and --version slow.
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
    firstWords: ["calls", "chats", "queries", "dialogues", "recordings"],
    summary: "Fetch calls, chats, queries, dialogues or recordings into the archive",
    load: async () => (await import("./pull.ts")).pullCommand,
  },
  {
    name: "import",
    args: "[files...]",
    summary: "Read chat logs from files into the archive",
    load: async () => (await import("./import.ts")).importCommand,
  },
  {
    name: "receive",
    summary: "Receive callbacks of agents, and chat logs that EventBridge delivers, over HTTP",
    load: async () => (await import("./receive.ts")).receive,
  },
  {
    name: "dataset",
    args: "[ids...]",
    firstWords: ["forget"],
    summary: "Make a fine-tuning data set from the archive",
    load: async () => (await import("./dataset.ts")).dataset,
  },
  {
    name: "list",
    summary: "List the conversations in the archive",
    load: async () => (await import("./list.ts")).list,
  },
  {
    name: "show",
    args: "<id>",
    summary: "Print one conversation from the archive",
    load: async () => (await import("./show.ts")).show,
  },
  {
    name: "status",
    summary: "Show what the archive contains",
    load: async () => (await import("./status.ts")).status,
  },
  {
    name: "ack",
    args: "[ids...]",
    summary: "Acknowledge calls that cannot be fetched, so that they no longer cause exit 3",
    load: async () => (await import("./ack.ts")).ack,
  },
  {
    name: "verify",
    args: "[outputs...]",
    summary: "Check the archive, outputs against their manifests, and the archive against the cloud",
    load: async () => (await import("./verify.ts")).verify,
  },
  {
    name: "reconcile",
    summary: "Compare callbacks with call logs, fetch the logs that are missing, and name the gaps",
    load: async () => (await import("./reconcile.ts")).reconcile,
  },
  {
    name: "prune",
    summary: "Delete the content of old conversations from the archive",
    load: async () => (await import("./prune.ts")).prune,
  },
  {
    name: "forget",
    args: "<ids...>",
    summary: "Delete the content of these conversations from the archive, and name the outputs that still contain them",
    load: async () => (await import("./forget.ts")).forget,
  },
  {
    name: "archive",
    args: "<unlock>",
    words: true,
    summary: "Remove the lock of a run that died",
    load: async () => (await import("./archive.ts")).archive,
  },
  {
    name: "check",
    args: "<paths...>",
    summary: "Check fine-tuning files for lines that a trainer would refuse, drop or misread",
    load: async () => (await import("./check.ts")).check,
  },
  {
    name: "doctor",
    summary: "Check Node, credentials, network, clock and permissions, and say how to fix them",
    load: async () => (await import("./doctor.ts")).doctor,
  },
  {
    name: "emulate",
    summary: "Run an emulated cloud on this machine, to try callarchive without an account",
    load: async () => (await import("./emulate.ts")).emulate,
  },
  {
    name: "demo",
    summary: "Run an example export against the emulator: no account, no network",
    load: async () => (await import("./demo.ts")).demo,
  },
  {
    name: "config",
    args: "<show|path> [command]",
    summary: "Check the configuration, and show the value of each flag and where it comes from",
    unconfigured: true,
    load: async () => (await import("./config.ts")).config,
  },
  {
    name: "completion",
    args: "<bash|zsh|fish>",
    summary: "Print a shell script that completes commands, flags and their values",
    unconfigured: true,
    load: async () => (await import("./completion.ts")).completion,
  },
];
