import { InvalidDocument } from "../core/errors.ts";
import type { StoredConversation } from "../core/records.ts";
import { unpacked, utf8 } from "../core/text.ts";
import {
  INTERRUPTED,
  isObject,
  type Json,
  type JsonObject,
  type Participants,
  type ProvenanceRecord,
  type Transcript,
  type Turn,
} from "../core/transcript.ts";
import { type CallFacts, callFacts } from "./call-meta.ts";
import { extraOf, iso, numeric, textual } from "./values.ts";
import { parseExact } from "./values-exact.ts";

/** The document behind CallLogUrl. */
export interface CallLog {
  /** Its key is accepted in any letter case. */
  instanceId?: string;
  /** Seconds since 1970 UTC, with a fraction; absent when the value cannot be a time. */
  startTime?: number;
  agentUserId?: string;
  remoteUserId?: string;
  /** In the log's own order. */
  dialog: Turn[];
  /** Unknown fields, and known fields with an unusable value. */
  extra?: JsonObject;
}

/** The fields of a call's record that its transcript needs. */
export type CallRecord = Pick<StoredConversation, "id" | "agentId" | "link" | "status" | "meta"> & {
  document: NonNullable<StoredConversation["document"]>;
};

/**
The transcript of a call, made of its log and of the metadata from describe or list.

Values of the log are used first; `meta` gives what is missing. Unusable values of `meta` are ignored.

@throws InvalidDocument as `readCallLog` does.
*/
export const callTranscript = ({ id, agentId, link, status, meta, document }: CallRecord): Transcript => {
  const facts = callFacts(meta);
  const log = readCallLog(document.bytes, facts.start);
  const { instanceId } = log;
  const start = log.startTime === undefined ? facts.start : log.startTime * 1000;
  const elapsed = facts.end === undefined || start === undefined ? undefined : (facts.end - start) / 1000;
  const duration = facts.duration ?? (elapsed !== undefined && elapsed >= 0 ? round(elapsed) : undefined);
  const startedAt = start === undefined ? undefined : iso(start);
  const endedAt = facts.end === undefined ? undefined : iso(facts.end);
  const statusText = status?.toWellFormed() ?? facts.status;
  const extra = instanceId === undefined || instanceId === id ? log.extra : { instanceid: instanceId, ...log.extra };
  // Field by field, in the order of the type: generic code takes longer than all the rest.
  const transcript = { id: id.toWellFormed(), source: "calls" } as Transcript;
  if (agentId !== undefined) transcript.agentId = agentId.toWellFormed();
  if (facts.sessionId !== undefined) transcript.sessionId = facts.sessionId;
  if (startedAt !== undefined) transcript.startedAt = startedAt;
  if (endedAt !== undefined) transcript.endedAt = endedAt;
  if (duration !== undefined) transcript.durationSeconds = duration;
  if (statusText !== undefined) transcript.status = statusText;
  transcript.participants = participants(log, facts);
  if (facts.system !== undefined) transcript.system = facts.system;
  if (facts.language !== undefined) transcript.language = facts.language;
  if (facts.userData !== undefined) transcript.userData = facts.userData;
  transcript.turns = log.dialog;
  const record: ProvenanceRecord = { source: "calls", sha256: document.sha256, bytes: document.bytes.length };
  if (link !== undefined) record.link = link.toWellFormed();
  transcript.provenance = { records: [record] };
  if (extra !== undefined) transcript.extra = extra;
  return transcript;
};

const participants = (log: CallLog, { agentUserId, caller, callee }: CallFacts): Participants => {
  const found: Participants = {};
  const agent = log.agentUserId ?? agentUserId;
  if (agent !== undefined) found.agentUserId = agent;
  if (log.remoteUserId !== undefined) found.remoteUserId = log.remoteUserId;
  if (caller !== undefined) found.caller = caller;
  if (callee !== undefined) found.callee = callee;
  return found;
};

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;

/** The start of a call, ISO 8601 UTC with milliseconds, the same as in its transcript. The ledger sorts by it. */
export const startedAt = (log: CallLog | undefined, meta: JsonObject | undefined): string | undefined => {
  const start = log?.startTime === undefined ? callFacts(meta).start : log.startTime * 1000;
  return start === undefined ? undefined : iso(start);
};

/**
Reads a call log: JSON, perhaps gzipped, perhaps with a byte order mark.

Fields may be missing, and `null` counts as missing; unknown fields are kept in `extra`. Whole numbers that would lose
digits are read as text. `fallbackStart`, in milliseconds since 1970, is used for logs without a start.

@throws InvalidDocument with code `NotJson` when the body is not JSON (it may have ended early, so another fetch can
help), `TooLarge` above 64 MB, `NotACallLog` when it is other JSON. Messages never quote the document.
*/
export const readCallLog = (bytes: Uint8Array, fallbackStart?: number): CallLog => {
  const log = parseDocument(bytes);
  if (!isObject(log)) throw notACallLog("the document is not a JSON object");
  const { dialog } = log;
  if (!Array.isArray(dialog)) throw notACallLog("there is no dialog list");
  let idKey: string | undefined;
  for (const key in log)
    if (
      key.length === 10 &&
      idKey === undefined &&
      key.toLowerCase() === "instanceid" &&
      textual(log[key]) !== undefined
    )
      idKey = key;
  const startTime = seconds(log.startTime);
  const agentUserId = textual(log.agentUserId);
  const remoteUserId = textual(log.remoteUserId);
  const instanceId = idKey === undefined ? undefined : textual(log[idKey]);
  const known = { [idKey ?? "instanceid"]: instanceId, startTime, agentUserId, remoteUserId, dialog };
  const start = startTime === undefined ? fallbackStart : startTime * 1000;
  // In place, so that the entries of a long log and its turns are not in memory at the same time.
  const turns = dialog as unknown as Turn[];
  for (const [index, value] of dialog.entries()) turns[index] = turnOf(value, index, start);
  const extra = extraOf(log, known, notACallLog);
  const result = {} as CallLog;
  if (instanceId !== undefined) result.instanceId = instanceId;
  if (startTime !== undefined) result.startTime = startTime;
  if (agentUserId !== undefined) result.agentUserId = agentUserId;
  if (remoteUserId !== undefined) result.remoteUserId = remoteUserId;
  result.dialog = turns;
  if (extra !== undefined) result.extra = extra;
  return result;
};

const turnOf = (value: Json, index: number, start: number | undefined): Turn => {
  const invalid = (reason: string): InvalidDocument => notACallLog(`dialog entry ${index + 1}: ${reason}`);
  if (!isObject(value)) throw invalid("not an object");
  const text = value.text ?? "";
  if (typeof text !== "string") throw invalid("text is not text");
  const begin = numeric(value.begin);
  if (begin === undefined && (value.begin ?? undefined) !== undefined) throw invalid("begin is not a number");
  const id = textual(value.id);
  const role = textual(value.role);
  const kind = textual(value.type);
  const at = begin === undefined || start === undefined ? undefined : iso(start + begin * 1000);
  const extra = hasUnknownFields(value, id, begin, role, kind)
    ? extraOf(value, { id, begin, role, type: kind, text }, invalid)
    : undefined;
  // Field by field: this runs once per turn, and spreading takes three times as long.
  const turn: Turn = {
    id: id ?? String(index + 1),
    role: role ?? "unknown",
    kind: kind ?? "normal",
    text: text.toWellFormed(),
  };
  if (begin !== undefined) turn.begin = begin;
  if (at !== undefined) turn.at = at;
  if (role === "agent" && text.includes(INTERRUPTED)) turn.interrupted = true;
  if (extra !== undefined) turn.extra = extra;
  return turn;
};

/** A fast test whether a turn may have unknown fields; `extraOf` then finds them. */
const hasUnknownFields = (
  value: JsonObject,
  id: string | undefined,
  begin: number | undefined,
  role: string | undefined,
  kind: string | undefined,
): boolean => {
  for (const key in value)
    if (
      !(
        (key === "id" && id !== undefined) ||
        (key === "begin" && begin !== undefined) ||
        (key === "role" && role !== undefined) ||
        (key === "type" && kind !== undefined) ||
        key === "text"
      )
    )
      return true;
  return false;
};

const parseDocument = (bytes: Uint8Array): unknown => {
  let text: string | undefined;
  try {
    text = utf8(unpacked(bytes));
  } catch (error) {
    // No `cause` here and below, because JSON.parse's messages quote the conversation.
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE") throw new InvalidDocument("the document is larger than 64 MB", "TooLarge");
    throw new InvalidDocument("the document's gzip is damaged or incomplete", "NotJson");
  }
  if (text === undefined) throw new InvalidDocument("the document is not UTF-8", "NotJson");
  try {
    return parseExact(text);
  } catch {
    throw new InvalidDocument(describeNotJson(text.trimStart()), "NotJson");
  }
};

const describeNotJson = (text: string): string => {
  if (text === "") return "the document is empty";
  return text.startsWith("<") ? "the document is HTML or XML" : "the document is not JSON, or is incomplete";
};

const notACallLog = (reason: string): InvalidDocument => new InvalidDocument(reason, "NotACallLog");

/** A time in seconds from 2000 to 2100; any other number is in milliseconds, a counter or wrong. */
const seconds = (value: unknown): number | undefined => {
  const time = numeric(value);
  return time !== undefined && time >= 946_684_800 && time < 4_102_444_800 ? time : undefined;
};
