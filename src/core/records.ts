import type { ErrorFacts } from "./errors.ts";
import type { State } from "./state.ts";
import type { JsonObject, SourceName } from "./transcript.ts";

export interface Document {
  /** As the service stores them: transfer encoding and content encoding removed, nothing else changed. */
  bytes: Uint8Array;
  /** Of `bytes`, hex. */
  sha256: string;
}

/** A call as a selection names it: by instance id, by its link's address until the id is known, or by its stand-in id. */
export interface Ref {
  instanceId?: string;
  /** Origin and path of the call log's link. */
  link?: string;
  /** `link-…`: what the archive calls a call of which it knows only the link. */
  standIn?: string;
  agentId?: string;
  /** What the list said, when the call was listed. */
  meta?: JsonObject;
  status?: string;
  /** The stretch of time that it was listed in: where to look for it again. */
  window?: Window;
}

/** A stretch of time in which the calls of an agent are listed, in whole seconds. */
export interface Window {
  start: Date;
  end: Date;
}

/** An item of the selection, as it stands in the archive. */
export interface SelectedItem {
  item: number;
  /** As `StoredRecord` has it. */
  id: string;
  state: State;
  /** False when the selection held it already. */
  added: boolean;
  /** When it was first selected. */
  seenAt: Date;
  /** How often fetching it brought no document, and the code of the last error. */
  attempts: number;
  code?: string;
  /** Whether the service was asked for all it knows of the call. */
  described: boolean;
  /** It is in trouble, and a person has settled that. */
  acknowledged?: true;
  instanceId?: string;
}

/** Where the service listed a call, and the address that tells it from the others there. */
export interface Listing {
  link: string;
  agentId: string;
  window: Window;
}

/** What came of fetching one item. */
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

/** A call log that carries the instance id of another one and differs from it: kept, and `invalid`. */
export interface SameIdConflict {
  item: number;
  /** What it is known by. */
  id: string;
  /** What the other one is known by. */
  instanceId: string;
}

/** A raw document with its identity and provenance. */
export interface StoredRecord {
  item: number;
  source: SourceName;
  state: State;
  /** The instance id, or the address-made stand-in of a call whose log names none. */
  id: string;
  agentId?: string;
  link?: string;
  status?: string;
  startedAt?: string;
  meta?: JsonObject;
  document?: Document;
  /** How often fetching it brought no document. */
  attempts: number;
  error?: ErrorFacts & { message: string; at: string };
  /** It is in trouble, which an earlier run that finished has reported, in this state with this code. */
  known?: true;
  /** It is in trouble, and a person has settled that. */
  acknowledged?: true;
}

/** Which stored items are meant; all that are given must hold. */
export interface StoredFilter {
  agents?: readonly string[];
  /** Inclusive, by the call's start. */
  since?: Date;
  /** Exclusive. */
  until?: Date;
  states?: readonly State[];
  /** One call, by instance id in any letter case. */
  id?: string;
  /** At most so many, the earliest first. */
  limit?: number;
}
