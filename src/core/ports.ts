import type { Document, Outcome, Ref, Window } from "./records.ts";
import type { Json, JsonObject, Transcript } from "./transcript.ts";

/** An AI agent instance as describe or list returns it, with all secrets removed from `meta`. */
export interface Instance {
  /** Absent in answers of list, which have no ids. */
  id?: string;
  /** The signed link to the call log: kept in memory only. Absent until the log is written. */
  link?: URL;
  /** `Created`, `Executing` or `Finished`. */
  status: string;
  /** The service's object without AuthToken and without the link's query string. */
  meta: JsonObject;
  requestId?: string;
}

export interface ListQuery {
  agentId: string;
  /** Start and end are inclusive, in whole seconds. */
  start: Date;
  end: Date;
  /** 1 to 100. */
  page: number;
  /** 1 to 100. */
  size: number;
}

export interface DialogueQuery {
  sessionId: string;
  /** Start and end are inclusive. */
  start: Date;
  end: Date;
  /** From 1. */
  page: number;
  /** Dialogues on a page. @default 100, the most */
  size?: number;
}

/** The part of IMS that a pull needs. Errors are `ArchiveError`s. */
export interface Ims {
  describeInstance(id: string, signal?: AbortSignal): Promise<Instance>;
  /** Empty past the last page. */
  listInstances(query: ListQuery, signal?: AbortSignal): Promise<Instance[]>;
  /** The dialogues of a session, at most `size` from old to new, as the service gives them; empty past the last page. */
  listDialogues(query: DialogueQuery, signal?: AbortSignal): Promise<Json[]>;
}

/** An event as the trace of a bus lists it. */
export interface TracedEvent {
  id: string;
  source: string;
  type: string;
  /** When the bus received it; absent if the service gives no usable time. */
  receivedAt?: Date;
}

export interface TraceQuery {
  bus: string;
  source: string;
  type: string;
  /** Start and end are inclusive. */
  start: Date;
  end: Date;
  /** Of the page before; absent for the first page. */
  next?: string;
}

export interface TracePage {
  events: TracedEvent[];
  /** Absent on the last page. */
  next?: string;
}

export interface LogQuery {
  /** @default the entries of all agents */
  agentName?: string;
  /** Continues after this place; absent for the first page. */
  after?: string;
}

export interface LogPage {
  entries: Json[];
  /** Where the next page begins, if the service says so. */
  lastKey?: string;
  hasMore: boolean;
}

/** The part of EventBridge that a pull needs. Errors are `ArchiveError`s. */
export interface EventBridge {
  tracedEvents(query: TraceQuery, signal?: AbortSignal): Promise<TracePage>;
  /** One event, as the bus received it. */
  event(event: { bus: string; source: string; id: string }, signal?: AbortSignal): Promise<JsonObject>;
  /** A page of the log of natural-language queries. */
  queryLog(query: LogQuery, signal?: AbortSignal): Promise<LogPage>;
}

/** Downloads the document of a signed link. Messages name `item`, or else the address. Errors are `ArchiveError`s. */
export type Download = (link: URL, signal?: AbortSignal, item?: string) => Promise<Document>;

/** Pieces of one output file. */
export type Chunk = string | Uint8Array;

/**
Text that may be larger than memory: its pieces are created while it is written.

The writer has already created every piece once, so creating them again succeeds and gives the same pieces.
*/
export interface LongText {
  pieces(): Iterable<string>;
}

/** A transcript as a fine-tuning sample: why it was dropped, or how the sample differs from the transcript. */
export type Note = { dropped: string } | { dropped?: undefined; changes: readonly string[] };

/**
Turns transcripts into text. The sink decides where the text goes.

A writer keeps no state between transcripts, because several of them may write parts of one file. The caller puts
`between` between two transcripts of the main file, and passes their number to `end`.

`put` adds to the writer's main file, or to another file beside it when `file` is given.
*/
export interface Writer {
  /** Called once, before the first transcript. */
  begin(put: Put): void;
  /**
  `record` carries the raw document for writers that keep bytes as they are. `further`: the records besides a call log, as
  one JSON array; it is the document itself where there is no log.
  */
  item(transcript: Transcript, put: ItemPut, record: { document: Document; further?: Uint8Array }): Note | undefined;
  /** Text between two transcripts of the main file. @default none */
  readonly between?: string;
  /** Called once, after the last transcript. @param items how many transcripts were written */
  end(put: Put, items: number): void;
}

export type Put = (data: Chunk, options?: PutOptions) => void;
/** `put` for one transcript; only here the text may be a `LongText`. */
export type ItemPut = (data: Chunk | LongText, options?: PutOptions) => void;

export interface PutOptions {
  /** Rows (turns, samples, documents) that this piece completes. @default 0 */
  rows?: number;
  /** Name of a file beside the main one: a sidecar, or with `whole` the file of one call. */
  file?: string;
  /** `data` is the complete content of `file`, which is written and closed at once. */
  whole?: boolean;
}

/** One page of a listing, kept to list it again when one of its links has expired. */
export interface ListPage extends Window {
  agentId: string;
  page: number;
  /** The requested page size; unknown for calls that an earlier run listed. */
  size?: number;
}

/** A call of the selection. Its signed link is kept only here, in memory. */
export interface FoundCall {
  ref: Ref;
  link?: URL;
  listPage?: ListPage;
  /** The document is stored: only describe the call. */
  describeOnly?: boolean;
}

/** The result of a fetch: an outcome without the archive's own item number. */
export type FetchResult = Omit<Outcome, "item">;

/** Fetches the document of one call. Errors are `ArchiveError`s, of this item or of the whole run. */
export type Fetch = (found: FoundCall, signal?: AbortSignal) => Promise<FetchResult>;

export type Level = "debug" | "info" | "warn" | "error";

/** Logs an event. Its fields hold no secret and no signed link. */
export type Log = (level: Level, event: string, fields: JsonObject) => void;
