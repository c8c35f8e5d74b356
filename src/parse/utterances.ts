import { InvalidDocument } from "../core/errors.ts";
import type { RecordFacts, StoredConversation } from "../core/records.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { AUDIO_RECORD, callbackMedia, callbackTime, dialogueIn } from "./callback-data.ts";
import { objectAt, recordsOf } from "./many-records.ts";
import { extraOf, moment, textual } from "./values.ts";

/** Something said, as a callback or a dialogue tells it. */
export interface Utterance {
  /** The dialogue's own id, else that of its record. */
  id: string;
  role: string;
  kind: string;
  text: string;
  /** Milliseconds since 1970. */
  ms?: number;
  reasoning?: string;
  /** The place of its audio. */
  audio?: string;
  dialogueId?: string;
  roundId?: string;
  /** `roundId`, `attachments`, `source` of a callback unless it is `call`, and fields that this version does not know. */
  extra?: JsonObject;
  recordSource: "callbacks" | "dialogues";
}

/** A record with its facts. */
export interface StoredRecord {
  facts: RecordFacts;
  data: JsonObject;
}

/** What the records of a conversation hold, each list by time. */
export interface RecordContents {
  /** Of the service's list of dialogues. */
  listed: Utterance[];
  /** Of `chat_record`. */
  recorded: Utterance[];
  /** Of `audio_record`: a sentence each, perhaps without text. */
  sentences: Utterance[];
  /** All other callbacks. */
  events: StoredRecord[];
  /** All of them. */
  records: StoredRecord[];
}

/**
The contents of the records, in their own order: by time, those without one last, then by source and id. So the order in
which they are given makes no difference.

@throws InvalidDocument with code `NotARecord`
*/
export const contentsOf = (conversation: StoredConversation): RecordContents => {
  const data = recordsOf(conversation, "NotARecord");
  const { records: facts = [] } = conversation;
  if (facts.length !== data.length) throw new InvalidDocument("the number of its records is wrong", "NotARecord");
  const records = facts.map((each, at) => ({ facts: each, data: data[at] as JsonObject })).sort(inOrder);
  const contents: RecordContents = { listed: [], recorded: [], sentences: [], events: [], records };
  for (const record of records) {
    const { facts: found, data: content } = record;
    const dialogue = dialogueIn(content);
    if (found.source === "dialogues") contents.listed.push(utteranceOf(found.id, content, "dialogues"));
    else if (dialogue) contents.recorded.push(utteranceOf(found.id, dialogue, "callbacks"));
    else {
      const sentence = content.event === AUDIO_RECORD ? sentenceOf(found.id, content) : undefined;
      if (sentence) contents.sentences.push(sentence);
      else contents.events.push(record);
    }
  }
  return contents;
};

const inOrder = ({ facts: one }: StoredRecord, { facts: other }: StoredRecord): number =>
  compare(one.at ?? "~", other.at ?? "~") || compare(one.source, other.source) || compare(one.id, other.id);

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** The fields of a dialogue: a callback begins their names with a small letter, the list of dialogues with a capital. */
const utteranceOf = (record: string, wire: JsonObject, recordSource: Utterance["recordSource"]): Utterance => {
  const { dialogueId, roundId, producer, text, reasoningText, time, source, type, sessionId: _, ...more } = small(wire);
  const { attachedFileList, ...unknown } = more;
  const id = textual(dialogueId);
  const round = textual(roundId);
  const reasoning = textual(reasoningText);
  const ms = moment(time);
  // What is listed stands in the conversation of its own kind: only in a callback it says something.
  const channel = recordSource === "callbacks" ? textual(source) : undefined;
  const extra = nonBlank({
    ...(round !== undefined && { roundId: round }),
    ...(channel !== undefined && channel.toLowerCase() !== "call" && { source: channel }),
    ...(attachedFileList !== undefined && { attachments: attachments(attachedFileList) }),
    ...unknown,
  });
  return {
    id: id ?? record.toWellFormed(),
    role: textual(producer)?.toLowerCase() ?? "unknown",
    kind: textual(type) ?? "normal",
    text: textual(text) ?? "",
    ...(ms !== undefined && { ms }),
    ...(reasoning !== undefined && { reasoning }),
    ...(id !== undefined && { dialogueId: id }),
    ...(round !== undefined && { roundId: round }),
    ...(extra && { extra }),
    recordSource,
  };
};

/** Where a sentence's role and text stand is in no reference: the first of these names, in the payload or beside it. */
const ROLES = ["role", "producer", "speaker"];
const TEXTS = ["text", "content", "sentence"];

/** Undefined if there is neither text nor audio. */
const sentenceOf = (record: string, data: JsonObject): Utterance | undefined => {
  const payload = small(objectAt(data, "data"));
  const field = (...names: string[]): string | undefined => {
    for (const values of [payload, data])
      for (const name of names) {
        const value = textual(values[name]);
        if (value !== undefined) return value;
      }
    return undefined;
  };
  const text = field(...TEXTS);
  const audio = callbackMedia(data)?.place;
  if (text === undefined && audio === undefined) return undefined;
  const ms = callbackTime(data);
  const dialogueId = field("dialogueId");
  const roundId = field("roundId");
  return {
    id: dialogueId ?? record.toWellFormed(),
    role: field(...ROLES)?.toLowerCase() ?? "unknown",
    kind: "normal",
    text: text ?? "",
    ...(ms !== undefined && { ms }),
    ...(audio !== undefined && { audio }),
    ...(dialogueId !== undefined && { dialogueId }),
    ...(roundId !== undefined && { roundId, extra: { roundId } }),
    recordSource: "callbacks",
  };
};

/** The object with names that begin with a small letter. */
const small = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(value).map(([key, each]) => [key.charAt(0).toLowerCase() + key.slice(1), each]));

const attachments = (list: Json): Json =>
  Array.isArray(list) ? list.map((file) => (isObject(file) ? small(file) : file)) : list;

/** Without empty fields, well-formed. */
const nonBlank = (value: JsonObject): JsonObject | undefined => {
  const filled = Object.entries(value).filter(([, each]) => each !== null && each !== "");
  return extraOf(Object.fromEntries(filled), {}, (reason) => new InvalidDocument(reason, "NotARecord"));
};
