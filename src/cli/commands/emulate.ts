import { resolve } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { EXIT } from "../exit-codes.ts";

type EmulateFlags = {
  port: number;
  calls: number;
  agents: number;
  seed: number;
  open: number;
  latency: number;
  quota?: number;
  data?: string;
  faults?: string;
};

const whole = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Write a whole number.");
  return Number(text);
};

const number = (flags: string, description: string, byDefault: number): Option =>
  new Option(flags, description).default(byDefault).argParser(whole);

export const emulate: CommandSpec<EmulateFlags> = {
  description: "Prints the environment that points callarchive at it, then serves until it is interrupted.",
  options: {
    Corpus: [
      number("--calls <n>", "how many calls there are", 200),
      number("--agents <n>", "how many agents they belong to", 3),
      number("--seed <n>", "another corpus; the same seed gives the same bytes", 1),
      number("--open <n>", "how many of the newest calls are still going on", 0),
      new Option("--data <dir>", "serve these call logs (*.json) too, byte for byte, as calls of the first agent"),
    ],
    Behaviour: [
      number("--port <n>", "port on 127.0.0.1, 0 for a free one", 0),
      number("--latency <ms>", "wait before every answer", 0),
      new Option("--quota <n>", "API calls a second, over which they are throttled (default: no limit)").argParser(
        whole,
      ),
      new Option(
        "--faults <list>",
        "what goes wrong, as probabilities: throttle, error, reset, expire, cut, slow, shift, vanish, down; cap=N: pages of at most N calls",
      ),
    ],
  },
  examples: [
    ["emulate --calls 1000 --port 8787", "a thousand calls"],
    ["emulate --faults throttle=0.05,error=0.02,reset=0.01,expire=0.1,cut=0.02", "a bad day"],
  ],
  run: async ({ flags, io, logger }) => {
    const { parseFaults, startEmulator } = await import("../../app/emulate.ts");
    const { plural } = await import("../../core/wording.ts");
    const { UsageError, messageOf } = await import("../../core/errors.ts");
    const { latency, faults, data, ...options } = flags;
    const asUsage = (error: unknown): never => {
      throw new UsageError(messageOf(error));
    };
    const emulator = await Promise.resolve()
      .then(() =>
        startEmulator({
          ...options,
          latencyMs: latency,
          ...(data !== undefined && { data: resolve(io.cwd, data) }),
          ...(faults !== undefined && { faults: parseFaults(faults) }),
          ...(flags.verbose && { log: logger.message }),
        }),
      )
      .catch(asUsage);
    const ended = new Promise<void>((heard) => io.onSignal(() => heard()));
    io.stdout.write(
      [
        `export CALLARCHIVE_ENDPOINT=${emulator.url}`,
        "export ALIBABA_CLOUD_ACCESS_KEY_ID=emulator-id",
        "export ALIBABA_CLOUD_ACCESS_KEY_SECRET=emulator-secret",
        `export CALLARCHIVE_AGENT=${emulator.agents[0]}`,
        "",
      ].join("\n"),
    );
    const [first] = emulator.ids();
    logger.message(
      `Serving ${plural(emulator.agents.length, "agent")}: ${emulator.agents.join(", ")}. Ctrl-C ends it.`,
    );
    logger.message(
      `In another shell, with the lines above: callarchive export --since 2025-07-14, or: callarchive export ${first}`,
    );
    await ended;
    await emulator.close();
    return EXIT.complete;
  },
};
