import type { CommandSpec, Input } from "../command-spec.ts";
import { type ExitCode, exitCodeFor } from "../exit-codes.ts";
import {
  archiveOption,
  cloudOptions,
  type EventBridgeFlags,
  eventBridgeOptions,
  type PullCommandFlags,
  pullOptions,
  selectionOptions,
} from "../options.ts";
import { otherFlags, selectionRequest } from "../requests.ts";

type Flags = PullCommandFlags & EventBridgeFlags;

/** What can be pulled, in the order of the help. */
const TARGETS = ["calls", "chats", "queries"] as const;
type Target = (typeof TARGETS)[number];

/** The flags that only some targets have; all others belong to every target. */
const OWN: Readonly<Record<string, readonly Target[]>> = {
  ids: ["calls", "chats"],
  agent: ["calls"],
  since: ["calls", "chats"],
  until: ["calls", "chats"],
  tz: ["calls", "chats"],
  shard: ["calls"],
  limit: ["calls", "chats"],
  dryRun: ["calls", "chats"],
  strict: ["calls"],
  allowEmpty: ["calls"],
  region: ["calls"],
  endpoint: ["calls"],
  client: ["calls"],
  describe: ["calls"],
  allowHost: ["calls"],
  maxDocumentSize: ["calls"],
  concurrency: ["calls", "chats"],
  bus: ["chats"],
  chatsRegion: ["chats"],
  agentName: ["queries"],
  queriesRegion: ["queries"],
  eventbridgeEndpoint: ["chats", "queries"],
};

export const pullCommand: CommandSpec<Flags> = {
  description: `\`pull\` alone and \`pull calls\` fetch calls.

\`pull chats\` reads the chat logs of multimodal apps from the event trace of EventBridge: all that a bus received in a range, or events by id.

\`pull queries\` reads the log of natural-language queries of EventBridge: the whole log the first time, later what is new.`,
  options: {
    Selection: selectionOptions(),
    Archive: [archiveOption(), ...pullOptions()],
    Service: cloudOptions(),
    "Chats and queries": eventBridgeOptions(),
  },
  examples: [
    ["pull --agent AGENT --since 24h", "the calls of one agent in the last 24 hours"],
    ["pull -i ids.txt", "the calls whose ids are in a file"],
    ["pull chats --since 7d", "the chats of the last 7 days; afterwards: pull chats --since last"],
    ["pull queries", "the log of natural-language queries"],
  ],
  run: async (input: Input<Flags>): Promise<ExitCode> => {
    const [first = "", ...rest] = input.args;
    const target = TARGETS.find((each) => each === first);
    await checkFlags(input.given, target ?? "calls");
    if (target === "chats") return pullChats({ ...input, args: rest });
    if (target === "queries") return pullQueries({ ...input, args: rest });
    return pullCalls(target === undefined ? input : { ...input, args: rest });
  },
};

/** @throws UsageError for a flag on the command line that the target does not have */
const checkFlags = async (given: ReadonlySet<string>, target: Target): Promise<void> => {
  const wrong = [...given].find((flag) => OWN[flag]?.includes(target) === false);
  if (wrong === undefined) return;
  const { UsageError } = await import("../../core/errors.ts");
  const flag = `--${wrong.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const owners = (OWN[wrong] ?? []).map((each) => `"pull ${each}"`).join(" and ");
  throw new UsageError(`${flag} is not a flag of "pull ${target}", but of ${owners}.`);
};

const pullCalls = async (input: Input<Flags>): Promise<ExitCode> => {
  const { flags, logger } = input;
  const { runPull, runPullPlan } = await import("../../app/pull/pull.ts");
  const { withContext } = await import("../context.ts");
  const { printPlan, printPullSummary } = await import("../terminal/summary.ts");
  const request = { ...otherFlags(flags), ...selectionRequest(input) };
  return withContext(input, flags.maxDuration, async (context) => {
    if (flags.dryRun) {
      const plan = await runPullPlan(request, context);
      printPlan(logger, plan);
      return exitCodeFor(plan.outcome);
    }
    const run = await runPull(request, context);
    const code = exitCodeFor(run.outcome);
    printPullSummary(logger, run, code);
    return code;
  });
};

const pullChats = async (input: Input<Flags>): Promise<ExitCode> => {
  const { flags, logger } = input;
  const { planChatPull, runChatPull } = await import("../../app/pull/chats.ts");
  const { withContext } = await import("../context.ts");
  const { printChatPlan, printRecordSummary } = await import("../terminal/record-summary.ts");
  const { agents: _, shard: _s, ...selection } = selectionRequest(input);
  const { bus, concurrency } = flags;
  const eventBridge = { ...eventBridgeRequest(flags), region: flags.chatsRegion, regionFlag: "--chats-region" };
  const request = { ...recordFlags(flags), ...selection, bus, concurrency, eventBridge };
  return withContext({ ...input, command: "pull chats" }, flags.maxDuration, async (context) => {
    if (flags.dryRun) {
      printChatPlan(logger, await planChatPull(request, context));
      return exitCodeFor("complete");
    }
    const run = await runChatPull(request, context);
    const code = exitCodeFor(run.outcome);
    printRecordSummary(logger, "event", run, code);
    return code;
  });
};

const pullQueries = async (input: Input<Flags>): Promise<ExitCode> => {
  const { args, flags, logger } = input;
  if (args.length > 0) {
    const { UsageError } = await import("../../core/errors.ts");
    throw new UsageError('"pull queries" takes no ids: it reads the log from its beginning. --agent-name narrows it.');
  }
  const { runQueryPull } = await import("../../app/pull/queries.ts");
  const { withContext } = await import("../context.ts");
  const { printRecordSummary } = await import("../terminal/record-summary.ts");
  const { agentName, queriesRegion } = flags;
  const eventBridge = { ...eventBridgeRequest(flags), region: queriesRegion, regionFlag: "--queries-region" };
  const request = { ...recordFlags(flags), ...(agentName !== undefined && { agentName }), eventBridge };
  return withContext({ ...input, command: "pull queries" }, flags.maxDuration, async (context) => {
    const run = await runQueryPull(request, context);
    const code = exitCodeFor(run.outcome);
    printRecordSummary(logger, "entry", run, code);
    return code;
  });
};

const recordFlags = ({ archive, wait, metricsFile, refresh, lookback, errorFile, allowOther }: Flags) => ({
  archive,
  lookback,
  ...(wait !== undefined && { wait }),
  ...(metricsFile !== undefined && { metricsFile }),
  ...(refresh && { refresh }),
  ...(errorFile !== undefined && { errorFile }),
  ...(allowOther && { allowOther }),
});

const eventBridgeRequest = ({ profile, tps, retries, eventbridgeEndpoint: endpoint }: Flags) => ({
  retries,
  ...(profile !== undefined && { profile }),
  ...(tps !== undefined && { tps }),
  ...(endpoint !== undefined && { endpoint }),
});
