import type { Call, Corpus } from "./corpus.ts";
import { digest, digestUuid } from "./digest.ts";
import type { Directory } from "./directory.ts";
import { readLog } from "./log-entries.ts";
import type { ObjectPort } from "./object-port.ts";
import { Random } from "./random.ts";
import { createRecordingFiles, type RecordedStream, secondsOf } from "./recording-files.ts";

export type RecordingFormat = "hls" | "mp3" | "mp4" | "vod";

/** A hand-made recording. */
export interface RecordingOptions {
  /** The call that was recorded. @default none; then `channelId` and `start` are needed */
  callId?: string;
  /** @default an id of its own */
  taskId?: string;
  /** @default that of the call */
  channelId?: string;
  /** When the recording began. @default two seconds after the call */
  start?: Date;
  /** @default ["mp4"] */
  formats?: readonly RecordingFormat[];
  /** The size of the mp3, mp4 and vod files, which then have no content of their own. @default small files with content */
  bytes?: number;
  /** @default "emulator-recordings" */
  bucket?: string;
  /** Folders before the task's own, like "a/b/". @default "" */
  prefix?: string;
}

/** A task of cloud recording. */
export interface RecordingTask {
  taskId: string;
  /** Absent if it is not known which call was recorded. */
  callId?: string;
  channelId: string;
  startedAt: Date;
  bucket: string;
  /** Keys of the objects in the bucket. */
  keys: { hls: string[]; mp3: string[]; mp4: string[] };
  /** Ids of media in VOD. */
  vodIds: string[];
}

/** A media in VOD. */
export interface VodMedia {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly createdAt: Date;
}

export interface RecordingsOptions {
  corpus: Corpus;
  directory: Directory;
  objects: ObjectPort;
  seed: number;
  /** How many of the generated calls were recorded, if so many of them are no phone calls. */
  recordings: number;
}

const BUCKET = "emulator-recordings";
const VOD_BUCKET = "emulator-vod";
/** How long after its call a recording begins. */
const DELAY_MS = 2_000;
const USUAL_MS = 60_000;

/** What the generated tasks record, in turn: formats, folders, and whether each side has files of its own. */
const kinds: readonly { formats: readonly RecordingFormat[]; prefix: string; isSingle: boolean }[] = [
  { formats: ["mp4", "mp3"], prefix: "", isSingle: false },
  { formats: ["hls", "mp3"], prefix: "", isSingle: true },
  { formats: ["vod"], prefix: "", isSingle: false },
  { formats: ["hls", "mp4"], prefix: "records/calls/", isSingle: false },
];

/** The tasks of cloud recording, and their files. Phone calls are not recorded. */
export const createRecordings = ({ corpus, directory, objects, seed, recordings }: RecordingsOptions) => {
  const tasks = new Map<string, RecordingTask>();
  const media = new Map<string, VodMedia>();
  const files = createRecordingFiles(objects);
  const appId = digestUuid(seed, "rtc-app");

  const upload = (stream: RecordedStream, random: Random): string => {
    const { key, bytes } = files.mp4({ ...stream, bucket: VOD_BUCKET }, random);
    const id = digest(seed, "vod", key);
    const createdAt = new Date(stream.end);
    media.set(id, { id, bucket: VOD_BUCKET, key, bytes, seconds: secondsOf(stream), createdAt });
    return id;
  };

  const record = (
    callId: string | undefined,
    streams: readonly RecordedStream[],
    formats: readonly RecordingFormat[],
  ): void => {
    const [first] = streams;
    if (!first) return;
    const { taskId, channelId, bucket, start } = first;
    const random = new Random(seed, tasks.size, 0x4ec0);
    const keys: RecordingTask["keys"] = { hls: [], mp3: [], mp4: [] };
    const vodIds: string[] = [];
    for (const stream of streams)
      for (const format of formats)
        if (format === "vod") vodIds.push(upload(stream, random));
        else keys[format].push(files[format](stream, random).key);
    const startedAt = new Date(start);
    tasks.set(taskId, { taskId, ...(callId !== undefined && { callId }), channelId, startedAt, bucket, keys, vodIds });
  };

  const generate = (call: Call, number: number): void => {
    const { formats, prefix, isSingle } = kinds[number % kinds.length] ?? { formats: [], prefix: "", isSingle: false };
    const { channelId, agentUserId, remoteUserId } = call.scene();
    const { start, end } = readLog(call);
    const taskId = digestUuid(seed, "task", call.id);
    const stream = { bucket: BUCKET, prefix, taskId, appId, channelId, start: start + DELAY_MS, end: end + DELAY_MS };
    const users = isSingle ? [agentUserId, remoteUserId] : [];
    record(call.id, isSingle ? users.map((userId) => ({ ...stream, userId })) : [stream], formats);
  };

  /** The calls that were recorded: spread over the corpus. */
  const recorded = (): Call[] => {
    const found = new Map<string, Call>();
    for (let number = 0; number < recordings; number++) {
      let index = Math.floor((number * corpus.calls) / recordings);
      for (let tries = 0; tries < corpus.calls; tries++, index++) {
        const call = corpus.find(corpus.idAt(index % corpus.calls));
        if (!call || call.scene().phone || found.has(call.id)) continue;
        found.set(call.id, call);
        break;
      }
      if (found.size <= number) break;
    }
    return [...found.values()];
  };
  recorded().forEach(generate);

  return {
    find: (taskId: string): RecordingTask | undefined => tasks.get(taskId),

    /** All tasks, also those that have expired. */
    *tasks(): Generator<RecordingTask> {
      yield* tasks.values();
    },

    media: (id: string): VodMedia | undefined => media.get(id),

    /** @returns its TaskId. @throws Error for a phone call, or when neither call nor channel and start are given */
    add: (options: RecordingOptions): string => {
      const { callId, bytes, bucket = BUCKET, prefix = "", formats = ["mp4"] } = options;
      const call = callId === undefined ? undefined : directory.find(callId);
      if (callId !== undefined && !call) throw new Error(`No such call: ${callId}`);
      if (call?.scene().phone) throw new Error("A phone call has no recording.");
      const log = call && readLog(call);
      const channelId = options.channelId ?? call?.scene().channelId;
      const start = options.start?.getTime() ?? (log && log.start + DELAY_MS);
      if (channelId === undefined || start === undefined)
        throw new Error("A recording needs a call, or channelId and start.");
      const taskId = options.taskId ?? digestUuid(seed, "added-task", tasks.size);
      const end = start + (log ? log.end - log.start : USUAL_MS);
      record(callId, [{ bucket, prefix, taskId, appId, channelId, start, end, bytes }], formats);
      return taskId;
    },
  };
};

export type Recordings = ReturnType<typeof createRecordings>;
