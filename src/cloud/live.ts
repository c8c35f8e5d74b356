import { Refused } from "../core/errors.ts";
import type { Recordings } from "../core/media.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { type Rpc, textOf } from "./openapi.ts";

/** Version of the Live service's API, and its name in RAM. */
export const LIVE_VERSION = "2016-11-01";
export const LIVE_PRODUCT = "live";

/** The Recordings port over a client of the RPC protocol. Source: the vendor's page and SDK of DescribeRtcCloudRecordingFiles. */
export const createRecordings = (rpc: Rpc): Recordings => ({
  async task(id, signal) {
    const { body, requestId } = await rpc("DescribeRtcCloudRecordingFiles", { TaskId: id }, { signal });
    if (!isObject(body.TaskInfo))
      throw new Refused("The service's answer holds no task.", {
        code: "InvalidAnswer",
        ...(requestId && { requestId }),
      });
    const { Status, RecordFileList } = body.TaskInfo;
    const files = isObject(RecordFileList) ? RecordFileList : {};
    const status = textOf(Status)?.toWellFormed();
    return {
      ...(status !== undefined && { status }),
      keys: { hls: keysIn(files.HlsFileList), mp3: keysIn(files.Mp3FileList), mp4: keysIn(files.Mp4FileList) },
      vodIds: unique(entriesOf(files.VodMediaList).flatMap(vodIdsOf)),
    };
  },
});

/**
The entries of a list.

Services of this family also send lists as JSON text, or wrapped in an object with one list: `{"Mp3File": […]}`.
*/
const entriesOf = (value: Json | undefined): Json[] => {
  if (Array.isArray(value)) return value;
  if (typeof value === "string") return listInText(value);
  return isObject(value) && !isMedia(value) ? Object.values(value).filter(Array.isArray).flat() : single(value);
};

const single = (value: Json | undefined): Json[] => (value === undefined || value === null ? [] : [value]);

const listInText = (text: string): Json[] => {
  if (!/^\s*\[/.test(text)) return text === "" ? [] : [text];
  try {
    const value = JSON.parse(text) as Json;
    return Array.isArray(value) ? value : [];
  } catch {
    return [text];
  }
};

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

const keysIn = (list: Json | undefined): string[] =>
  unique(entriesOf(list).filter((key): key is string => typeof key === "string" && key !== "" && key.isWellFormed()));

const isMedia = (value: JsonObject): boolean => "MediaIds" in value || "MergedIds" in value;

/** The ids in an entry of VodMediaList: of the recorded files, and of those that the service merged. */
const vodIdsOf = (entry: Json): string[] => {
  const ids = isObject(entry) ? [...entriesOf(entry.MediaIds), ...entriesOf(entry.MergedIds)] : [entry];
  return ids.filter((id): id is string => typeof id === "string" && /^[\x21-\x7e]{1,256}$/.test(id));
};
