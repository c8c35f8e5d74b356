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

/** What to write instead of a flag that a target does not have. */
const INSTEAD: Readonly<Record<string, string>> = {
  "chats region": "Write --chats-region.",
  "chats endpoint": "Write --eventbridge-endpoint.",
  "chats agent": "Chats are read by bus: --bus.",
  "queries region": "Write --queries-region.",
  "queries endpoint": "Write --eventbridge-endpoint.",
  "queries agent": "Write --agent-name.",
  "queries since": "A later run reads what is new by itself.",
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
    if (target === undefined) await checkSpelling(first);
    const { checkOwnFlags } = await import("../own-flags.ts");
    checkOwnFlags(input.given, target ?? "calls", OWN, (each) => `pull ${each}`, INSTEAD);
    if (target === "chats") return pullChats({ ...input, args: rest });
    if (target === "queries") return pullQueries({ ...input, args: rest });
    return pullCalls(target === undefined ? input : { ...input, args: rest });
  },
};

/** Words that are no id of a call, but are meant as a target. Other words may be ids: only the service knows. */
const MEANT: ReadonlyMap<string, Target> = new Map([
  ["call", "calls"],
  ["chat", "chats"],
  ["event", "chats"],
  ["events", "chats"],
  ["query", "queries"],
  ["querys", "queries"],
]);

/** @throws UsageError for a word that was meant as a target */
const checkSpelling = async (word: string): Promise<void> => {
  const target = MEANT.get(word.toLowerCase());
  if (target === undefined) return;
  const { UsageError } = await import("../../core/errors.ts");
  throw new UsageError(`"${word}" is no id. Did you mean "callarchive pull ${target}"?`);
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
  const { runChatPull } = await import("../../app/pull/chats.ts");
  const { planChatPull } = await import("../../app/pull/chat-selection.ts");
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

const recordFlags = (flags: Flags) => {
  const { archive, wait, metricsFile, refresh, lookback, errorFile, allowOther, strict, allowEmpty } = flags;
  return {
    archive,
    lookback,
    ...(wait !== undefined && { wait }),
    ...(metricsFile !== undefined && { metricsFile }),
    ...(refresh && { refresh }),
    ...(errorFile !== undefined && { errorFile }),
    ...(allowOther && { allowOther }),
    ...(strict && { strict }),
    ...(allowEmpty && { allowEmpty }),
  };
};

const eventBridgeRequest = ({ profile, tps, retries, eventbridgeEndpoint: endpoint }: Flags) => ({
  retries,
  ...(profile !== undefined && { profile }),
  ...(tps !== undefined && { tps }),
  ...(endpoint !== undefined && { endpoint }),
});
