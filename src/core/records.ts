import type { ErrorFacts } from "./errors.ts";
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
  /** The same as in `StoredRecord`. */
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

/** A call log with the instance id of another one and with other bytes: it is kept as `invalid`. */
export interface SameIdConflict {
  item: number;
  /** The id of this item. */
  id: string;
  /** The id that both call logs carry. */
  instanceId: string;
}

/** A raw document with its identity and provenance. */
export interface StoredRecord {
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
  document?: Document;
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
  agents?: readonly string[];
  /** Inclusive, by the call's start. */
  since?: Date;
  /** Exclusive. */
  until?: Date;
  states?: readonly State[];
  /** One call, by instance id in any letter case. */
  id?: string;
  /** At most this many items, the earliest first. */
  limit?: number;
}
