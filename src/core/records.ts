import type { ErrorFacts } from "./errors.ts";
import type { NamedMedia, StoredMedia } from "./media.ts";
import type { State } from "./state.ts";
import type { JsonObject, SourceName } from "./transcript.ts";

export interface Document {
  /** As the service stores them, without transfer encoding and content encoding. */
  bytes: Uint8Array;
  /** Of `bytes`, hex. */
  sha256: string;
}

/** A call of a selection: by instance id, by its link's address while the id is unknown, or by its stand-in id. */
export interface Ref {
  instanceId?: string;
  /** Origin and path of the call log's link. */
  link?: string;
  /** `link-…`: the archive's id for a call of which only the link is known. */
  standIn?: string;
  agentId?: string;
  /** The answer of list, when the call was listed. */
  meta?: JsonObject;
  status?: string;
  /** The window in which it was listed: where to list it again. */
  window?: Window;
}

/** A time window in which the calls of an agent are listed, in whole seconds. */
export interface Window {
  start: Date;
  end: Date;
}

/** An item of the selection with its state in the archive. */
export interface SelectedItem {
  item: number;
  /** The same as in `StoredConversation`. */
  id: string;
  state: State;
  /** False when the selection already had it. */
  added: boolean;
  /** When it was first selected. */
  seenAt: Date;
  /** How many fetches brought no document. */
  attempts: number;
  /** The code of the last error. */
  code?: string;
  /** Whether describe was called for it: its answer knows more than that of list. */
  described: boolean;
  /** It is missing, invalid or failed, and a person has acknowledged that. */
  acknowledged?: true;
  instanceId?: string;
}

/** Where the service listed a call, and the address that identifies it in the list. */
export interface Listing {
  link: string;
  agentId: string;
  window: Window;
}

/** The result of fetching one item. */
export interface Outcome {
  /** The archive's own number of the item. */
  item: number;
  state: Exclude<State, "pending" | "pruned">;
  instanceId?: string;
  link?: string;
  status?: string;
  meta?: JsonObject;
  /** ISO 8601 UTC. */
  startedAt?: string;
  document?: Document;
  error?: ErrorFacts & { message: string };
}

/**
A record of a conversation that has many, as a source gives it.

`data` identifies the record's content, so all else must follow from `data` alone: two arrivals with the same data are the
same in every field.
*/
export interface Arrival {
  /** Of the conversation. */
  source: SourceName;
  /** Of the conversation, in its source. */
  conversation: string;
  agentId?: string;
  record: {
    /** The kind of record; a conversation may have records of several sources. @default the conversation's source */
    source?: SourceName;
    /** Unique in its source. */
    id: string;
    /** The record's own time. */
    at?: Date;
    /** All that identifies its content, without secrets, and without the envelope that it came in. */
    data: JsonObject;
    /** Whether the service may still change it: then a later one with this id replaces it. @default false */
    running?: boolean;
    /** The files that it names. */
    media?: readonly NamedMedia[];
    /**
    It was said in a call of the session that is its conversation. It belongs to the call that was running at its time;
    to this conversation only while no such call is known. @default false
    */
    inCall?: boolean;
  };
}

/**
What became of a record that arrived.

- `added`: it is new.
- `repeated`: the archive has it, or a later state of it.
- `replaced`: it took the place of an earlier state.
- `conflict`: the archive has another record with this id and other content. Both are kept; the longer one is used, or of
  two of the same length the one with the lower SHA-256.
- `moved`: the archive has it, and now knows that it belongs to this conversation.
- `dropped`: its conversation was forgotten or pruned.
*/
export type ArrivalResult = "added" | "repeated" | "replaced" | "moved" | "conflict" | "dropped";

/** When a call of a session was running. */
export interface CallTimes {
  sessionId: string;
  start: Date;
  end: Date;
}

/** The session of a call by its metadata, with the call's times; undefined unless all three are known. */
export type SessionOf = (meta: JsonObject) => CallTimes | undefined;

/** A stored record without its data. */
export interface RecordFacts {
  source: SourceName;
  id: string;
  /** ISO 8601 UTC. */
  at?: string;
  /** Of its canonical JSON, hex. */
  sha256: string;
  /** Of its canonical JSON. */
  bytes: number;
}

/** A call log with the instance id of another one and with other bytes: it is kept as `invalid`. */
export interface SameIdConflict {
  item: number;
  /** The id of this item. */
  id: string;
  /** The id that both call logs carry. */
  instanceId: string;
}

/** A raw document with its identity and provenance. */
export interface StoredConversation {
  item: number;
  source: SourceName;
  state: State;
  /** The instance id, or the stand-in id of a call whose log has none. */
  id: string;
  agentId?: string;
  link?: string;
  status?: string;
  startedAt?: string;
  meta?: JsonObject;
  /** The call log; of a conversation that has only other records, all of them as one JSON array, in their order. */
  document?: Document;
  /** The records besides a call log: by their own time, those without one last, then by source and id. */
  records?: RecordFacts[];
  /** The records besides a call log, as one JSON array in the order of `records`. */
  further?: Uint8Array;
  /** Its files, as far as they are known: by time, then place. */
  media?: StoredMedia[];
  /** How many fetches brought no document. */
  attempts: number;
  error?: ErrorFacts & { message: string; at: string };
  /** An earlier run that finished has reported its trouble, with this state and code. */
  known?: true;
  /** It is missing, invalid or failed, and a person has acknowledged that. */
  acknowledged?: true;
}

/** Conditions on stored items; an item must meet all of them. */
export interface StoredFilter {
  /** A bare `id` then means one of these; a qualified `id` of another source is a usage error. */
  sources?: readonly SourceName[];
  agents?: readonly string[];
  /** Inclusive, by the call's start. */
  since?: Date;
  /** Exclusive. */
  until?: Date;
  states?: readonly State[];
  /** One conversation, by its id, or by its source and id as `chats:ID`. Letter case matters, but not for calls. */
  id?: string;
  /** At most this many items, the earliest first. */
  limit?: number;
}
