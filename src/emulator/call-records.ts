import { createCallbackAudio } from "./callback-audio.ts";
import { createDriver, type DeliverOptions, type DeliverResult } from "./callback-driver.ts";
import { type CallbackBody, createCallbacks } from "./callbacks.ts";
import type { Corpus } from "./corpus.ts";
import type { Dialogue } from "./dialogue.ts";
import { createDialogues, type DialogueOptions } from "./dialogues.ts";
import type { Directory } from "./directory.ts";
import { createLive } from "./live.ts";
import type { ObjectPort } from "./object-port.ts";
import { createRecordings, type RecordingOptions, type RecordingTask } from "./recordings.ts";
import { createSessions } from "./sessions.ts";
import { createTypedChats } from "./typed-chats.ts";
import { createVod } from "./vod.ts";

/** The options of what there is of calls besides call logs. */
export interface CallRecordOptions {
  /**
  How many sessions have typed messages. Three of four belong to calls, one of these three to two calls of an agent, which
  then have the same SessionId.

  @default 0
  */
  typedChats?: number;
  /** For how many days a dialogue is listed. @default no limit */
  dialogueDays?: number;
  /** How many of the generated calls were recorded. Phone calls are not. @default 0 */
  recordings?: number;
  /** For how many days after its start a recording task can be asked for. @default 3, as in the service */
  taskDays?: number;
}

/** What there is of calls besides call logs. */
export interface CallRecords {
  /** All sessions: of calls, with typed messages, and of added dialogues. */
  sessionIds(): Generator<string>;
  /** The dialogues of a session by time, also those that have expired; none for an unknown session. */
  dialogues(sessionId: string): Dialogue[];
  /** Adds a dialogue, or replaces the one with its id, and returns its DialogueId. */
  addDialogue(dialogue: DialogueOptions): string;
  /** The agent callbacks of a call in their natural order; none for an unknown call. */
  callbacks(id: string): CallbackBody[];
  /** Posts the callbacks of calls to an address, until each is acknowledged or refused. */
  deliverCallbacks(options: DeliverOptions): Promise<DeliverResult>;
  /** The tasks of cloud recording, also those that have expired. */
  recordingTasks(): Generator<RecordingTask>;
  /** Adds a recording and returns its TaskId. @throws Error for a phone call, and when call, or channel and start, are missing */
  addRecording(recording: RecordingOptions): string;
}

export interface Services extends CallRecordOptions {
  corpus: Corpus;
  directory: Directory;
  objects: ObjectPort;
  seed: number;
  from: Date;
  to: Date;
  linkTtlSeconds: number;
  now: () => Date;
}

/** Dialogues, callbacks and recordings of calls, and the products that serve them. */
export const createCallRecords = (services: Services) => {
  const { corpus, directory, objects, seed, from, to, linkTtlSeconds, now } = services;
  const { typedChats: typed = 0, dialogueDays, recordings: recorded = 0, taskDays = 3 } = services;
  const sessions = createSessions({ corpus, directory, seed, from, to, typedChats: typed });
  const typedChats = createTypedChats({ seed, objects, linkTtlSeconds });
  const dialogues = createDialogues({ sessions, typedChats, seed, dialogueDays, now });
  const audio = createCallbackAudio({ seed, objects, linkTtlSeconds });
  const callbacks = createCallbacks({ directory, sessions, audio, seed });
  const recordings = createRecordings({ corpus, directory, objects, seed, recordings: recorded });
  const api: CallRecords = {
    sessionIds: dialogues.sessionIds,
    dialogues: dialogues.all,
    addDialogue: dialogues.add,
    callbacks: callbacks.of,
    deliverCallbacks: createDriver(callbacks.of, directory.ids, seed),
    recordingTasks: recordings.tasks,
    addRecording: recordings.add,
  };
  return {
    sessions,
    dialogues,
    products: [createLive({ recordings, directory, taskDays, now }), createVod({ recordings, objects })],
    api,
  };
};
