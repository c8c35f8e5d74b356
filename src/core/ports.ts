import type { Document, Outcome, Ref, Window } from "./records.ts";
import type { JsonObject, Transcript } from "./transcript.ts";

/** An AI agent instance as describe or list gives it, with everything secret taken out of `meta`. */
export interface Instance {
  /** Absent in list answers, which carry none. */
  id?: string;
  /** The signed link to the call log: lives in memory only. Absent while the log is not written. */
  link?: URL;
  /** `Created`, `Executing` or `Finished`. */
  status: string;
  /** The wire's object without AuthToken and without the link's query string. */
  meta: JsonObject;
  requestId?: string;
}

export interface ListQuery {
  agentId: string;
  /** Inclusive, whole seconds. */
  start: Date;
  end: Date;
  /** 1 to 100. */
  page: number;
  /** 1 to 100. */
  size: number;
}

/** The part of IMS that the main job needs. Errors are `ArchiveError`s. */
export interface Ims {
  describeInstance(id: string, signal?: AbortSignal): Promise<Instance>;
  /** Empty past the last page. */
  listInstances(query: ListQuery, signal?: AbortSignal): Promise<Instance[]>;
}

/** Fetches what a signed link points to; messages name it by `item`, or by its address. Errors are `ArchiveError`s. */
export type Download = (link: URL, signal?: AbortSignal, item?: string) => Promise<Document>;

/** Pieces of one output file. */
export type Chunk = string | Uint8Array;

/**
Text that may be larger than memory: its pieces are made while it is written.

The writer has made every piece once before, so making them again does not fail, and gives the same pieces.
*/
export interface LongText {
  pieces(): Iterable<string>;
}

/** What became of a transcript as a fine-tuning sample: why there is none, or in what it differs from the call's words. */
export type Note = { dropped: string } | { dropped?: undefined; changes: readonly string[] };

/**
Makes text of transcripts; where it lives is the sink's concern.

Keeps nothing from one transcript to the next: several of a kind write parts of one file side by side. Whoever drives it
puts `between` between two transcripts of the main file, and tells `end` how many there were.

`put` goes to the writer's main file, or to a file of its own beside it when `file` is given.
*/
export interface Writer {
  /** Called once, before the first transcript. */
  begin(put: Put): void;
  /** `record` carries the raw document for writers that keep bytes as they are. */
  item(transcript: Transcript, put: ItemPut, record: { document: Document }): Note | undefined;
  /** What stands in the main file between two transcripts. @default nothing */
  readonly between?: string;
  /** @param items how many transcripts there were */
  end(put: Put, items: number): void;
}

export type Put = (data: Chunk, options?: PutOptions) => void;
/** The same for one transcript, which alone may be long. */
export type ItemPut = (data: Chunk | LongText, options?: PutOptions) => void;

export interface PutOptions {
  /** Rows (turns, samples, documents) that this piece completes; default 0. */
  rows?: number;
  /** Another file than the main one: a sidecar's name, or with `whole` the name of one call's own file. */
  file?: string;
  /** `data` is all of `file`: it is written and closed at once. */
  whole?: boolean;
}

/** One page of a listing, to be asked again when a link of it died. */
export interface ListPage extends Window {
  agentId: string;
  page: number;
  /** How many calls the page was asked for; unknown of calls that an earlier run listed. */
  size?: number;
}

/** A call as the selection met it. The signed link lives here, in memory, and nowhere else. */
export interface FoundCall {
  ref: Ref;
  link?: URL;
  listPage?: ListPage;
  /** Its document is there: only ask the service what else it knows. */
  describeOnly?: boolean;
}

/** What a fetch brought: everything of an outcome but the archive's own number. */
export type FetchResult = Omit<Outcome, "item">;

/** Gets the document of one call. Errors are `ArchiveError`s: those of single items and those that stop the run. */
export type Fetch = (found: FoundCall, signal?: AbortSignal) => Promise<FetchResult>;

export type Level = "debug" | "info" | "warn" | "error";

/** Something worth telling; fields hold no secret and no signed link. */
export type Log = (level: Level, event: string, fields: JsonObject) => void;
