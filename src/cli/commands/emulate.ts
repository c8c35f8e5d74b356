import { resolve as resolvePath } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { EXIT } from "../exit-codes.ts";

type EmulateFlags = {
  port: number;
  calls: number;
  agents: number;
  seed: number;
  open: number;
  chats: number;
  queries: number;
  typedChats: number;
  recordings: number;
  taskDays?: number;
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
  description: "Prints the environment variables that make callarchive use the emulator, then runs until Ctrl-C.",
  options: {
    Corpus: [
      number("--calls <n>", "number of calls", 200),
      number("--agents <n>", "number of agents that the calls belong to", 3),
      number("--seed <n>", "seed of the generated calls; the same seed gives the same bytes", 1),
      number("--open <n>", "how many of the newest calls have not ended yet", 0),
      number("--chats <n>", "number of chat sessions on the event bus", 20),
      number("--queries <n>", "number of entries in the log of natural-language queries", 50),
      number("--typed-chats <n>", "number of sessions with typed messages, most of them before and after calls", 10),
      number("--recordings <n>", "how many of the calls have a cloud recording; phone calls have none", 10),
      new Option("--data <dir>", "also serve these call logs (*.json), byte for byte, as calls of the first agent"),
    ],
    Behaviour: [
      number("--port <n>", "port on 127.0.0.1; 0 takes a free one", 0),
      number("--latency <ms>", "delay before every answer", 0),
      new Option("--quota <n>", "throttle requests above this number per second (default: no limit)").argParser(whole),
      new Option(
        "--task-days <n>",
        "for how many days after its start a recording task can be asked for (default: no limit; the service: 3)",
      ).argParser(whole),
      new Option(
        "--faults <list>",
        "faults to simulate, each with its probability: throttle, error, reset, expire, cut, slow, shift, vanish, repeat, down; cap=N limits pages to N calls",
      ),
    ],
  },
  examples: [
    ["emulate --calls 1000 --port 8787", "a thousand calls"],
    ["emulate --faults throttle=0.05,error=0.02,reset=0.01,expire=0.1,cut=0.02", "an unreliable service"],
  ],
  run: async ({ flags, io, logger }) => {
    const { parseFaults, startEmulator } = await import("../../app/emulate.ts");
    const { plural } = await import("../../core/wording.ts");
    const { UsageError, messageOf } = await import("../../core/errors.ts");
    const { latency, faults, data, taskDays = Number.POSITIVE_INFINITY, ...options } = flags;
    const asUsage = (error: unknown): never => {
      throw new UsageError(messageOf(error));
    };
    const emulator = await Promise.resolve()
      .then(() =>
        startEmulator({
          ...options,
          taskDays,
          latencyMs: latency,
          ...(data !== undefined && { data: resolvePath(io.cwd, data) }),
          ...(faults !== undefined && { faults: parseFaults(faults) }),
          ...(flags.verbose && { log: logger.message }),
        }),
      )
      .catch(asUsage);
    const ended = new Promise<void>((resolve) => io.onSignal(() => resolve()));
    io.stdout.write(
      [
        `export CALLARCHIVE_ENDPOINT=${emulator.url}`,
        `export CALLARCHIVE_EVENTBRIDGE_ENDPOINT=${emulator.url}`,
        `export CALLARCHIVE_OSS_ENDPOINT=${emulator.url}`,
        `export CALLARCHIVE_LIVE_ENDPOINT=${emulator.url}`,
        `export CALLARCHIVE_VOD_ENDPOINT=${emulator.url}`,
        "export ALIBABA_CLOUD_ACCESS_KEY_ID=emulator-id",
        "export ALIBABA_CLOUD_ACCESS_KEY_SECRET=emulator-secret",
        `export CALLARCHIVE_AGENT=${emulator.agents[0]}`,
        "",
      ].join("\n"),
    );
    const [first] = emulator.ids();
    logger.message(
      `Serving ${plural(emulator.agents.length, "agent")}: ${emulator.agents.join(", ")}. Press Ctrl-C to stop.`,
    );
    logger.message(
      `In another shell, run the lines above, then: callarchive export --since 2025-07-14, or: callarchive export ${first}`,
    );
    if (flags.chats + flags.queries > 0)
      logger.message("Also: callarchive pull chats --since 2025-07-14, and: callarchive pull queries");
    if (flags.recordings > 0)
      logger.message(
        "And of the calls: callarchive pull dialogues --from-archive, and: callarchive pull recordings --bucket emulator-recordings",
      );
    await ended;
    await emulator.close();
    return EXIT.complete;
  },
};
