import { ArchiveError, NotFound } from "../../core/errors.ts";
import type { ObjectFacts, ObjectPlace } from "../../core/media.ts";
import type { FoundMedia } from "../../core/media-store.ts";
import { collect } from "../../http/body.ts";
import { retrying } from "../../http/retry.ts";
import { isKey, placeText } from "../../object-storage/place.ts";
import { PLAYLIST_BYTES, playlistEntries, recordingKind } from "../../sources/recordings.ts";
import { type MediaCloud, vodPlace } from "../media/cloud.ts";
import type { RecordingPullRequest } from "../record-requests.ts";
import { type TakeTrouble, troubleFrom } from "./records.ts";

export interface RecordingSearch {
  request: Pick<RecordingPullRequest, "tasks" | "bucket" | "prefix">;
  cloud: Pick<MediaCloud, "storage" | "recordings" | "retry">;
  /** When objects were written; `until` is exclusive. */
  since: Date | undefined;
  until: Date | undefined;
  take: TakeTrouble;
  signal: AbortSignal;
}

/** Some of the files that are found. */
export interface FoundRecordings {
  files: FoundMedia[];
  /** How many of them come only here: a listing and a playlist name the same segments. */
  count: number;
}

const allOf = (files: FoundMedia[]): FoundRecordings => ({ files, count: files.length });

/** The files of recordings that a request selects, with the segments of playlists. */
export async function* findRecordings(search: RecordingSearch): AsyncGenerator<FoundRecordings> {
  const { tasks = [] } = search.request;
  if (tasks.length > 0) for (const task of new Set(tasks)) yield* filesOfTask(task, search);
  else yield* filesOfBucket(search);
}

async function* filesOfBucket(search: RecordingSearch): AsyncGenerator<FoundRecordings> {
  const { request, cloud, since, until, signal } = search;
  const { bucket = "", prefix = "" } = request;
  for await (const page of cloud.storage.list(bucket, prefix, signal)) {
    const wanted = page.filter(
      ({ key, modifiedAt, bytes }) =>
        bytes > 0 &&
        recordingKind(key) !== undefined &&
        isKey(key) &&
        (since === undefined || modifiedAt >= since) &&
        (until === undefined || modifiedAt < until),
    );
    yield allOf(wanted.map(fileOf));
    for (const playlist of wanted)
      if (recordingKind(playlist.key) === "playlist")
        for await (const files of segmentsOf(playlist, search)) {
          const beside = placeText({ bucket, key: prefix });
          yield { files, count: files.filter(({ place }) => !place.startsWith(beside)).length };
        }
  }
}

async function* filesOfTask(task: string, search: RecordingSearch): AsyncGenerator<FoundRecordings> {
  const { request, cloud, take, signal } = search;
  const { bucket } = request;
  const found = await cloud.recordings.task(task, signal).catch(async (error: unknown) => {
    if (signal.aborted || !(error instanceof ArchiveError) || error.next === "stop") throw error;
    const isGone = error instanceof NotFound;
    const trouble = troubleFrom(task, isGone ? "missing" : "failed", error);
    const message = "The service has no such task: it knows those of the last 3 days. Name the bucket, to look there.";
    await take(isGone ? { ...trouble, message } : trouble);
    return undefined;
  });
  if (!found) return;
  const keys = [...found.keys.mp4, ...found.keys.mp3, ...found.keys.hls];
  const failed = (code: string, message: string) => take({ id: task, state: "failed", code, message });
  if (keys.length + found.vodIds.length === 0) await failed("NoFiles", "The task has no files yet.");
  if (found.vodIds.length > 0)
    yield allOf(found.vodIds.map((id): FoundMedia => ({ kind: "recording", place: vodPlace(id) })));
  if (keys.length > 0 && bucket === undefined) {
    await failed("NoBucket", "Its files are in a bucket, which the service does not name: add --bucket.");
    return;
  }
  for (const key of keys) {
    const place = { bucket: bucket ?? "", key };
    const object = isKey(key) ? await factsOf(place, search) : undefined;
    if (!object) {
      const id = isKey(key) ? placeText(place) : task;
      await take({ id, state: "missing", code: "NoSuchKey", message: "The bucket has no such object." });
      continue;
    }
    yield allOf([fileOf(object)]);
    if (recordingKind(key) === "playlist") for await (const files of segmentsOf(object, search)) yield allOf(files);
  }
}

/** What the bucket says of an object; undefined when it has none with this key. */
const factsOf = async (
  { bucket, key }: ObjectPlace,
  { cloud, signal }: RecordingSearch,
): Promise<ObjectFacts | undefined> => {
  for await (const page of cloud.storage.list(bucket, key, signal)) {
    const found = page.find((each) => each.key === key);
    // Keys come in order: a longer one is past it.
    if (found || page.length > 0) return found;
  }
  return undefined;
};

const fileOf = (object: ObjectFacts): FoundMedia => ({
  kind: recordingKind(object.key) === "segment" ? "segment" : "recording",
  place: placeText(object),
  at: object.modifiedAt,
});

/** The segments that a playlist names. */
async function* segmentsOf(playlist: ObjectFacts, search: RecordingSearch): AsyncGenerator<FoundMedia[]> {
  const { cloud, take, signal } = search;
  const read = async (): Promise<string> => {
    const ended = new AbortController();
    try {
      const file = await cloud.storage.open(playlist, 0, undefined, AbortSignal.any([signal, ended.signal]));
      return (await collect(file.body, PLAYLIST_BYTES, "The bucket")).toString();
    } finally {
      ended.abort();
    }
  };
  try {
    const entries = playlistEntries(await retrying(read, cloud.retry, signal), playlist);
    if (entries) {
      const [place, at] = [placeText(playlist), playlist.modifiedAt];
      yield entries
        .filter(({ key }) => isKey(key))
        .map((entry): FoundMedia => ({ kind: "segment", place: placeText(entry), playlist: place, at }));
      return;
    }
    await take({ id: placeText(playlist), state: "invalid", code: "NotAPlaylist", message: "it is no playlist" });
  } catch (error) {
    if (signal.aborted || !(error instanceof ArchiveError) || error.next === "stop") throw error;
    await take(troubleFrom(placeText(playlist), error instanceof NotFound ? "missing" : "failed", error));
  }
}
