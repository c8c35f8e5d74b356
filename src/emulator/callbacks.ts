import type { CallbackAudio } from "./callback-audio.ts";
import type { Call } from "./corpus.ts";
import { callDialogues, type Dialogue } from "./dialogue.ts";
import { digestUuid } from "./digest.ts";
import type { Directory } from "./directory.ts";
import { hash32, Random } from "./random.ts";
import type { Sessions } from "./sessions.ts";

/** The body of an agent callback. Absent keys are not sent. */
export type CallbackBody = {
  aiAgentId: string;
  instanceId: string;
  event:
    | "agent_start"
    | "session_start"
    | "intent_recognized"
    | "chat_record"
    | "audio_record"
    | "client_defined_data"
    | "agent_stop"
    | "full_audio_record";
  code: string;
  message: string;
  /** Another one for each callback; the same one when it is delivered again. */
  requestId: string;
  /** JSON text from the app that started the call. */
  userData: string;
  /** JSON text. */
  extendData?: string;
  data?: Record<string, unknown>;
  /** Of chat_record, where they are not in `data`. */
  dialogues?: Record<string, unknown>[];
};

export interface CallbacksOptions {
  directory: Directory;
  sessions: Sessions;
  audio: CallbackAudio;
  seed: number;
}

type Content = Pick<CallbackBody, "event"> & Partial<Pick<CallbackBody, "data" | "dialogues">>;

const record = (dialogue: Dialogue): Record<string, unknown> => ({
  roundId: dialogue.RoundId,
  dialogueId: dialogue.DialogueId,
  producer: dialogue.Producer,
  text: dialogue.Text,
  ...(dialogue.ReasoningText !== undefined && { reasoningText: dialogue.ReasoningText }),
  time: dialogue.Time,
  source: dialogue.Source,
  type: dialogue.Type,
});

/** The callbacks of calls. Each is computed on demand. */
export const createCallbacks = ({ directory, sessions, audio, seed }: CallbacksOptions) => {
  const contents = (call: Call): Content[] => {
    const dialogues = callDialogues(seed, call);
    const random = new Random(seed, hash32(call.id), 0xca11);
    const isAtTop = random.chance(0.5);
    const result = { code: "Success", message: "Success" };
    const chatRecord = (dialogue: Dialogue): Content => {
      const list = [record(dialogue)];
      return { event: "chat_record", ...(isAtTop ? { dialogues: list } : { data: { ...result, dialogues: list } }) };
    };
    const turn = (dialogue: Dialogue, index: number): Content[] => {
      const isIntent = dialogue.Producer === "user" && random.chance(0.4);
      const custom = { id: `step-${index}`, value: random.int(1, 9) };
      return [
        ...(isIntent ? [{ event: "intent_recognized", data: { text: dialogue.Text } } as const] : []),
        chatRecord(dialogue),
        { event: "audio_record", data: audio.sentence(call, dialogue, index) },
        ...(random.chance(0.05) ? [{ event: "client_defined_data", data: custom } as const] : []),
      ];
    };
    const session = { sessionId: sessions.of(call) };
    const start: Content[] = [{ event: "agent_start" }, { event: "session_start", data: session }];
    const turns = dialogues.flatMap(turn);
    if (call.status !== "Finished") return [...start, ...turns];
    const full =
      dialogues.length > 0 ? [{ event: "full_audio_record", data: audio.full(call, dialogues) } as const] : [];
    return [...start, ...turns, { event: "agent_stop", data: session }, ...full];
  };

  return {
    /** The callbacks of a call in their natural order; without the last ones while it has not ended. */
    of: (id: string): CallbackBody[] => {
      const call = directory.find(id);
      if (!call) return [];
      const { userData } = call.scene();
      const extendData = hash32(id) % 2 === 0 ? JSON.stringify({ source: "emulator" }) : undefined;
      return contents(call).map(({ event, data, dialogues }, number) => ({
        aiAgentId: call.agent,
        instanceId: call.id,
        event,
        code: "Success",
        message: "Success",
        requestId: digestUuid(seed, call.id, "callback", number).toUpperCase(),
        userData,
        ...(extendData !== undefined && { extendData }),
        ...(data && { data }),
        ...(dialogues && { dialogues }),
      }));
    },
  };
};
