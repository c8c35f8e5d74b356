import { mp3, mp4, transportStream } from "./media-bytes.ts";
import type { NewObject, ObjectPort } from "./object-port.ts";
import type { Random } from "./random.ts";

/** What is recorded in a task, and where its files go. */
export interface RecordedStream {
  readonly bucket: string;
  /** Folders before the task's own; "" or "a/b/". */
  readonly prefix: string;
  readonly taskId: string;
  readonly appId: string;
  readonly channelId: string;
  /** The user whose stream it is; absent when the streams of all are mixed. */
  readonly userId?: string;
  /** When the recording began and ended, in milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** The size of the file, for one without content of its own. */
  readonly bytes?: number | undefined;
}

/** Seconds of a segment, as the service's default is. */
const SEGMENT_SECONDS = 30;

/** "2025-07-14-00:12:33", in UTC */
const timeInName = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", "-");

/** The part of a file's key before its ending: {TaskId}/{AppId}_{ChannelId}_{UserId}_{StartTime}. */
const stem = ({ prefix, taskId, appId, channelId, userId, start }: RecordedStream): string =>
  `${prefix}${taskId}/${[appId, channelId, userId, timeInName(start)].filter((part) => part !== undefined).join("_")}`;

/** The length of a recording, in seconds. */
export const secondsOf = ({ start, end }: Pick<RecordedStream, "start" | "end">): number =>
  Math.max(1, Math.round((end - start) / 1000));

/** A file that the service names. */
export interface RecordedFile {
  readonly key: string;
  /** Its size. */
  readonly bytes: number;
}

/** Writes the files of recordings. */
export const createRecordingFiles = (objects: ObjectPort) => {
  const put = (stream: RecordedStream, object: Pick<NewObject, "key" | "body" | "bytes" | "type">): RecordedFile => {
    objects.put({ bucket: stream.bucket, modifiedAt: new Date(stream.end), ...object });
    return { key: object.key, bytes: object.bytes ?? object.body?.length ?? 0 };
  };
  /** One file: of the given size, or with content. */
  const file = (stream: RecordedStream, key: string, type: string, body: () => Uint8Array): RecordedFile =>
    put(stream, { key, type, ...(stream.bytes === undefined ? { body: body() } : { bytes: stream.bytes }) });

  const segmentsOf = (stream: RecordedStream, random: Random): [name: string, seconds: number][] => {
    const total = secondsOf(stream);
    return Array.from({ length: Math.ceil(total / SEGMENT_SECONDS) }, (_, number) => {
      const key = `${stem(stream)}_${number}.ts`;
      put(stream, { key, body: transportStream(random, random.int(8, 24)), type: "video/mp2t" });
      const seconds = Math.min(SEGMENT_SECONDS, total - number * SEGMENT_SECONDS);
      return [key.slice(key.lastIndexOf("/") + 1), seconds];
    });
  };

  return {
    mp4: (stream: RecordedStream, random: Random): RecordedFile =>
      file(stream, `${stem(stream)}.mp4`, "video/mp4", () => mp4(random, random.int(4_000, 12_000))),

    mp3: (stream: RecordedStream, random: Random): RecordedFile =>
      file(stream, `${stem(stream)}.mp3`, "audio/mpeg", () => mp3(random, random.int(8, 30))),

    /** A playlist, and the segments that it names relative to itself. */
    hls: (stream: RecordedStream, random: Random): RecordedFile => {
      const segments = segmentsOf(stream, random);
      const lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        `#EXT-X-TARGETDURATION:${SEGMENT_SECONDS}`,
        "#EXT-X-MEDIA-SEQUENCE:0",
        ...segments.flatMap(([name, seconds]) => [`#EXTINF:${seconds.toFixed(3)},`, name]),
        "#EXT-X-ENDLIST",
        "",
      ];
      const body = Buffer.from(lines.join("\n"));
      return put(stream, { key: `${stem(stream)}.m3u8`, body, type: "application/vnd.apple.mpegurl" });
    },
  };
};
