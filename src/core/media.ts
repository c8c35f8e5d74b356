import { endingOf } from "./media-type.ts";
import type { SourceName } from "./transcript.ts";

/**
What a file of a conversation holds: the audio of one sentence, the audio of a whole call, a recording, or a segment of a
recording that a playlist names.
*/
export type MediaKind = "sentence" | "call-audio" | "recording" | "segment";

/** A file that a record names, as it arrives. */
export interface NamedMedia {
  kind: MediaKind;
  /** Its address without user, query and fragment: `oss://BUCKET/KEY`, or `https://HOST/PATH`. */
  place: string;
}

/**
- `pending`: not downloaded yet, or the last attempt failed temporarily.
- `stored`: downloaded whole.
- `missing`: the service says that it does not exist any more.
- `failed`: it cannot be downloaded, for example because it is too large, or of another type.
*/
export type MediaState = "pending" | "stored" | "missing" | "failed";

/** A file of a conversation, in the archive. Its bytes lie beside the archive, named by their SHA-256. */
export interface StoredMedia extends NamedMedia {
  /** The archive's number of it, which is never used again. */
  media: number;
  /** The conversation; absent until it is known. */
  item?: number;
  /** The record that names it: what it belongs to in the conversation. */
  record?: { source: SourceName; id: string };
  /** The place of the playlist that names it. */
  playlist?: string;
  /** The channel that was recorded; with `at` it finds the call. */
  channel?: string;
  /** When it was recorded or written. */
  at?: Date;
  state: MediaState;
  /** Of the file, hex. */
  sha256?: string;
  bytes?: number;
  /** The media type by its content, for example `audio/wav`. */
  type?: string;
  seconds?: number;
  attempts: number;
  error?: { code: string; message: string; at: string };
}

/** A place in object storage. */
export interface ObjectPlace {
  bucket: string;
  key: string;
}

/** What a listing of a bucket says about an object. */
export interface ObjectFacts extends ObjectPlace {
  bytes: number;
  modifiedAt: Date;
}

/** A file that is being downloaded, from a byte on. */
export interface OpenFile {
  body: AsyncIterable<Uint8Array>;
  /** The first byte that the body has; 0 when the server did not take up the range. */
  from: number;
  /** Length of the whole file, if the server says it. */
  bytes?: number;
  /** Changes when the content changes. */
  etag?: string;
  /** Checksums of the whole file, if the server gives them: CRC-64/XZ as a decimal number, MD5 as hex. */
  crc64?: string;
  md5?: string;
}

/** Opens a file from a byte on. `etag`: only if the file is still the same; another file comes whole. Errors are `ArchiveError`s. */
export type OpenRange = (from: number, etag: string | undefined, signal: AbortSignal) => Promise<OpenFile>;

/** Object storage, for reading. Errors are `ArchiveError`s. */
export interface ObjectStorage {
  /** The objects whose key begins with `prefix`, in order of their keys, page by page. */
  list(bucket: string, prefix: string, signal?: AbortSignal): AsyncIterable<ObjectFacts[]>;
  open(place: ObjectPlace, ...range: Parameters<OpenRange>): Promise<OpenFile>;
}

/** The files of one task of cloud recording. */
export interface RecordingTask {
  /** As the service writes it. */
  status?: string;
  /** Keys of objects in the bucket that the recording was set up with. */
  keys: { hls: string[]; mp3: string[]; mp4: string[] };
  /** Ids of media in VOD. */
  vodIds: string[];
}

/** The part of the Live service that a pull of recordings needs. Errors are `ArchiveError`s. */
export interface Recordings {
  /** The files of a task; the service knows tasks of the last 3 days. */
  task(id: string, signal?: AbortSignal): Promise<RecordingTask>;
}

/** The part of VOD that a pull of recordings needs. Errors are `ArchiveError`s. */
export interface Vod {
  /** A signed address of a media's file, kept in memory only. */
  address(id: string, signal?: AbortSignal): Promise<URL>;
}

/** The path of a stored file in the folder of media, with `/`. It follows from the content alone. */
export const mediaPath = ({ sha256, type }: { sha256: string; type?: string | undefined }): string =>
  `${sha256.slice(0, 2)}/${sha256}${endingOf(type)}`;
