import { InvalidDocument } from "../core/errors.ts";
import type { Arrival } from "../core/records.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { jsonIn } from "../parse/audio-place.ts";
import { moment, textual } from "../parse/values.ts";
import { cleanAudioLinks } from "./audio-links.ts";
import { digest, isHarmlessId, nameIn } from "./record-ids.ts";

/**
The record of a dialogue as ListAIAgentDialogues gives it. What was spoken belongs to the call in which it was said, once
the archive knows that call; the rest is the session's own conversation.

@throws InvalidDocument with code `NotADialogue` when it is no object, or the session's id is not usable
*/
export const dialogueArrival = (sessionId: string, value: Json): Arrival => {
  if (!isObject(value)) throw new InvalidDocument("the dialogue is not an object", "NotADialogue");
  if (!isHarmlessId(sessionId)) throw new InvalidDocument("the session's id is not usable", "NotADialogue");
  const extend = typeof value.Extend === "string" ? jsonIn(value.Extend) : undefined;
  const data = cleanAudioLinks({
    ...value,
    ...(value.AttachedFileList !== undefined && { AttachedFileList: withoutQueries(value.AttachedFileList) }),
    ...(extend !== undefined && { Extend: extend }),
    SessionId: sessionId,
  });
  const at = moment(data.Time);
  return {
    source: "dialogues",
    conversation: String(data.SessionId),
    record: {
      source: "dialogues",
      id: `${data.SessionId}/${nameIn(data.DialogueId) ?? digest(data)}`,
      ...(at !== undefined && { at: new Date(at) }),
      data,
      ...(isOfCall(data) && { inCall: true }),
    },
  };
};

/** Attachments are reached by signed links: only their places are kept. */
const withoutQueries = (list: Json): Json =>
  Array.isArray(list)
    ? list.map((file) =>
        isObject(file) && typeof file.Url === "string" ? { ...file, Url: file.Url.split(/[?#]/, 1)[0] ?? "" } : file,
      )
    : list;

/** Whether a dialogue's record was spoken in a call. */
export const isOfCall = ({ Source }: JsonObject): boolean => textual(Source)?.toLowerCase() === "call";
