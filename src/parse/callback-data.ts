import type { NamedMedia } from "../core/media.ts";
import { isObject, type JsonObject } from "../core/transcript.ts";
import { audioPlace } from "./audio-place.ts";
import { objectAt } from "./many-records.ts";
import { moment } from "./values.ts";

// What follows from the data of a callback's record alone. Source: the vendor's page "Agent callbacks".

export const CHAT_RECORD = "chat_record";
export const AUDIO_RECORD = "audio_record";
const MEDIA_KINDS: ReadonlyMap<unknown, NamedMedia["kind"]> = new Map([
  [AUDIO_RECORD, "sentence"],
  ["full_audio_record", "call-audio"],
]);

/** Where a time can stand. The field of audio_record's data is in no reference. */
const TIMES = ["timestamp", "time", "startTime", "beginTime"];

const firstMoment = (objects: readonly JsonObject[]): number | undefined => {
  for (const each of objects)
    for (const key of TIMES) {
      const time = moment(each[key]);
      if (time !== undefined) return time;
    }
  return undefined;
};

/** The dialogue of a record that has one. */
export const dialogueIn = ({ event, dialogue }: JsonObject): JsonObject | undefined =>
  event === CHAT_RECORD && isObject(dialogue) ? dialogue : undefined;

/**
When it happened, in milliseconds since 1970.

The body's own time is that of the event. A sentence is over by then, so its data goes first.
*/
export const callbackTime = (data: JsonObject): number | undefined => {
  const dialogue = dialogueIn(data);
  if (dialogue) return moment(dialogue.time);
  const inner = objectAt(data, "data");
  return firstMoment(data.event === AUDIO_RECORD ? [inner, data] : [data, inner]);
};

/** The file that the record names. */
export const callbackMedia = (data: JsonObject): NamedMedia | undefined => {
  const kind = MEDIA_KINDS.get(data.event);
  // The integrator's own data can name other files.
  const place = kind && (audioPlace(data.data ?? null) ?? audioPlace(data));
  return kind && place !== undefined ? { kind, place } : undefined;
};
