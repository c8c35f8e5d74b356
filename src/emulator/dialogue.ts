import type { Call } from "./corpus.ts";
import { dialogueText, reasoning } from "./dialogue-text.ts";
import { digest } from "./digest.ts";
import { readLog } from "./log-entries.ts";
import { hash32, Random } from "./random.ts";

export interface AttachedFile {
  Id: string;
  Name: string;
  Format: string;
  /** A number of the service. */
  Type: number;
  /** Signed; it expires. */
  Url: string;
}

/** A dialogue of a session, as ListAIAgentDialogues returns it: what one side said at once. Absent keys are not sent. */
export type Dialogue = {
  DialogueId: string;
  RoundId: string;
  Producer: "user" | "agent";
  Text: string;
  ReasoningText?: string;
  /** Milliseconds since 1970. */
  Time: number;
  /** `chat` is typed. */
  Source: "chat" | "call";
  /** Of a call `greeting`, `normal` or `speech`; of a chat `normal`, `announcement` or `custom`. */
  Type: string;
  NodeId?: string;
  /** JSON text. */
  Extend?: string;
  AttachedFileList?: AttachedFile[];
};

/** The most milliseconds by which a dialogue's time differs from that of its entry in the call log. */
const DRIFT_MS = 400;

/** The dialogues of a call: one for each entry of its call log, in its order. */
export const callDialogues = (seed: number, call: Call): Dialogue[] => {
  const { start, end, entries } = readLog(call);
  const stream = hash32(call.id);
  let latest = start;
  let round = 0;
  return entries.map((entry, index): Dialogue => {
    const random = new Random(seed, stream, 0xd1a7 + index);
    if (entry.producer === "user" && entries[index - 1]?.producer !== "user") round++;
    // Within the call, and in the order of the log.
    latest = Math.max(latest, Math.min(end, entry.at + random.int(-DRIFT_MS, DRIFT_MS)));
    const isAnswer = entry.producer === "agent" && entry.type === "normal";
    return {
      DialogueId: digest(seed, call.id, "dialogue", index),
      RoundId: digest(seed, call.id, "round", round),
      Producer: entry.producer,
      Text: dialogueText(random, entry.text),
      ...(isAnswer && random.chance(0.25) && { ReasoningText: reasoning(random, entry.text) }),
      Time: latest,
      Source: "call",
      Type: entry.type,
      ...(isAnswer && random.chance(0.2) && { NodeId: `node_${random.digits(3)}` }),
      ...(random.chance(0.15) && { Extend: JSON.stringify({ emotion: random.pick(["neutral", "happy", "angry"]) }) }),
    };
  });
};
