import type { CommandSpec, Input } from "../command-spec.ts";
import type { ExitCode } from "../exit-codes.ts";
import { archiveOption, cloudOptions, pullOptions, selectionOptions } from "../options.ts";
import { eventBridgeOptions, recordingOptions, sessionOptions } from "../record-options.ts";
import type { PullTargetFlags } from "./pull/flags.ts";

/** What can be pulled, in the order of the help. */
const TARGETS = ["calls", "chats", "queries", "dialogues", "recordings"] as const;
type Target = (typeof TARGETS)[number];

/** The flags that only some targets have; all others belong to every target. */
const OWN: Readonly<Record<string, readonly Target[]>> = {
  ids: ["calls", "chats"],
  agent: ["calls", "dialogues"],
  since: ["calls", "chats", "dialogues", "recordings"],
  until: ["calls", "chats", "dialogues", "recordings"],
  tz: ["calls", "chats", "dialogues", "recordings"],
  shard: ["calls"],
  limit: ["calls", "chats", "dialogues"],
  dryRun: ["calls", "chats"],
  lookback: ["calls", "chats", "queries"],
  refresh: ["calls", "chats", "queries", "dialogues"],
  region: ["calls", "dialogues", "recordings"],
  endpoint: ["calls", "dialogues"],
  client: ["calls", "dialogues"],
  describe: ["calls"],
  allowHost: ["calls", "recordings"],
  maxDocumentSize: ["calls"],
  concurrency: ["calls", "chats", "dialogues", "recordings"],
  session: ["dialogues"],
  fromArchive: ["dialogues"],
  bucket: ["recordings"],
  prefix: ["recordings"],
  call: ["recordings"],
  media: ["recordings"],
  mediaOnly: ["recordings"],
  maxMediaSize: ["recordings"],
  ossRegion: ["recordings"],
  ossEndpoint: ["recordings"],
  liveEndpoint: ["recordings"],
  vodEndpoint: ["recordings"],
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
  "dialogues ids": "Name sessions: --session ID.",
  "recordings ids": 'Name tasks: "pull recordings TASK".',
  "recordings agent": "Recordings are found by task, or by bucket and prefix.",
  "recordings endpoint": "Write --oss-endpoint, --live-endpoint or --vod-endpoint.",
};

/** Each is loaded when it runs. */
const RUNS: Readonly<Record<Target, () => Promise<(input: Input<PullTargetFlags>) => Promise<ExitCode>>>> = {
  calls: async () => (await import("./pull/calls.ts")).pullCalls,
  chats: async () => (await import("./pull/chats.ts")).pullChats,
  queries: async () => (await import("./pull/queries.ts")).pullQueries,
  dialogues: async () => (await import("./pull/dialogues.ts")).pullDialogues,
  recordings: async () => (await import("./pull/recordings.ts")).pullRecordings,
};

export const pullCommand: CommandSpec<PullTargetFlags> = {
  description: `\`pull\` alone and \`pull calls\` fetch calls.

\`pull chats\` reads the chat logs of multimodal apps from the event trace of EventBridge: all that a bus received in a range, or events by id.

\`pull queries\` reads the log of natural-language queries of EventBridge: the whole log the first time, later what is new.

\`pull dialogues\` reads what was typed and said in sessions. What was said in a call becomes a part of that call.

\`pull recordings\` downloads the recordings of calls: by the ids of recording tasks, or all files of a bucket below a prefix.`,
  options: {
    Selection: selectionOptions(),
    Archive: [archiveOption(), ...pullOptions()],
    Service: cloudOptions(),
    "Chats and queries": eventBridgeOptions(),
    "Dialogues and recordings": [...sessionOptions(), ...recordingOptions()],
  },
  examples: [
    ["pull --agent AGENT --since 24h", "the calls of one agent in the last 24 hours"],
    ["pull -i ids.txt", "the calls whose ids are in a file"],
    ["pull chats --since 7d", "the chats of the last 7 days; afterwards: pull chats --since last"],
    ["pull queries", "the log of natural-language queries"],
    ["pull dialogues --from-archive --since 7d", "the dialogues of the calls of the last 7 days"],
    ["pull recordings --bucket BUCKET --prefix record/", "the recordings in a bucket"],
  ],
  run: async (input: Input<PullTargetFlags>): Promise<ExitCode> => {
    const [first = "", ...rest] = input.args;
    const target = TARGETS.find((each) => each === first);
    if (target === undefined) await checkSpelling(first);
    const { checkOwnFlags } = await import("../own-flags.ts");
    checkOwnFlags(input.given, target ?? "calls", OWN, (each) => `pull ${each}`, INSTEAD);
    return (await RUNS[target ?? "calls"]())(target === undefined ? input : { ...input, args: rest });
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
  ["dialogue", "dialogues"],
  ["dialog", "dialogues"],
  ["dialogs", "dialogues"],
  ["session", "dialogues"],
  ["sessions", "dialogues"],
  ["recording", "recordings"],
]);

/** @throws UsageError for a word that was meant as a target */
const checkSpelling = async (word: string): Promise<void> => {
  const target = MEANT.get(word.toLowerCase());
  if (target === undefined) return;
  const { UsageError } = await import("../../core/errors.ts");
  throw new UsageError(`"${word}" is no id. Did you mean "callarchive pull ${target}"?`);
};
