import type { SourceName } from "./transcript.ts";

/**
Which calls each destination has received. With it `--new` writes each call once, and `forget` names the files that
still hold a call.

A destination is a place (full path of a folder or file) and a format. Part 0 is a plain export, which replaces the
files there; parts of `--new` count from 1. A part is prepared before its files appear, and confirmed after its
manifest is written.
*/
export interface Deliveries {
  /** Those of these items that the destination has received. A later `delivering` of one of them is a revision. */
  delivered(place: string, format: string, items: readonly number[]): Promise<Map<number, Delivered>>;
  /** Notes in this connection that these items are being written in this format. */
  delivering(format: string, items: readonly number[]): Promise<void>;
  /** The last part of a place, or of one format there. `prepared`: it is not confirmed. */
  lastPart(place: string, format?: string): Promise<{ part: number; prepared: boolean } | undefined>;
  /** All parts of a place, ordered by number. */
  parts(place: string): Promise<PartRecord[]>;
  /** Records the noted items as a part of the place. @param token identifies the part, see `PartRecord` */
  prepare(place: string, formats: readonly string[], part: number, token?: string): Promise<void>;
  /** Records that the files of a prepared part are in place. */
  confirm(place: string, part: number): Promise<void>;
  /** Deletes the record of a part whose files never appeared. */
  withdraw(place: string, part: number): Promise<void>;
  /** Sets the tokens of parts of a place. */
  setTokens(place: string, parts: readonly { part: number; token: string }[]): Promise<void>;
  /** Another place that has parts with all of these tokens. */
  placeOf(tokens: readonly string[], except: string): Promise<string | undefined>;
  /** Copies the records of parts with these tokens from one place to another: the folder was moved or copied. */
  copyParts(from: string, to: string, tokens: readonly string[]): Promise<void>;
  /** The places and formats that received this conversation. @param sources as `find` of an archive takes them */
  holding(id: string, sources?: readonly SourceName[]): Promise<{ place: string; format: string }[]>;
  /** Remembers the folder of a data set; needs no lock, because a data set only reads. */
  rememberSet(place: string): Promise<void>;
  /** The folders of data sets, sorted. What they hold, they tell themselves. */
  sets(): Promise<string[]>;
}

/** What a destination has received of a conversation. */
export interface Delivered {
  /** Its records have changed since then: the next revision, if its transcript has changed, too. */
  changed?: Revision;
}

/** A conversation that a destination receives again. */
export interface Revision {
  /** 2 for the second time. */
  number: number;
  /** The digest of the transcript that the destination has; empty when that transcript could not be read. */
  before: string;
}

/** One delivery to a place. */
export interface PartRecord {
  part: number;
  /** Not confirmed: its files may be there or not. */
  prepared: boolean;
  /** A hash of the archive's id, the part's number and its files; absent when an older version wrote the part. */
  token?: string;
}

/** Rebuilds the record of a place from its files, when that record is lost or belongs to another archive. */
export interface Adoption {
  /** Notes in this connection that a part holds these calls in these formats. */
  adopting(part: number, formats: readonly string[], ids: readonly string[]): Promise<void>;
  /**
  Replaces the record of a place by these parts with the calls that `adopting` noted.

  Resolves to how many of these calls are in the archive (`known`), and how many are not (`unknown`).
  */
  adopt(
    place: string,
    parts: readonly { part: number; token: string; formats: readonly string[] }[],
  ): Promise<{ known: number; unknown: number }>;
}
