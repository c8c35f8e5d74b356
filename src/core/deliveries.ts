/**
What was written where, so that `--new` writes each call once and an erasure can name the files that still hold it.

A destination is a place (the folder's or file's full path) and a format. Part 0 is a plain export, which replaces what
was there before; `--new` counts from 1. A part is prepared before its files appear and confirmed when the manifest is in
place.
*/
export interface Deliveries {
  /** Of these items, those that the destination has had. */
  delivered(place: string, format: string, items: readonly number[]): Promise<Set<number>>;
  /** Remembers, with this connection, that an item goes to a format. */
  delivering(format: string, items: readonly number[]): Promise<void>;
  /** The last part of a place, or of one format there, and whether it was only prepared. */
  lastPart(place: string, format?: string): Promise<{ part: number; prepared: boolean } | undefined>;
  /** All parts of a place, by number. */
  parts(place: string): Promise<PartRecord[]>;
  /** Records what is being delivered as a part of the place. @param token what the part is known by, see `PartRecord` */
  prepare(place: string, formats: readonly string[], part: number, token?: string): Promise<void>;
  confirm(place: string, part: number): Promise<void>;
  /** Forgets a part that never appeared. */
  withdraw(place: string, part: number): Promise<void>;
  /** Gives parts of a place their tokens. */
  setTokens(place: string, parts: readonly { part: number; token: string }[]): Promise<void>;
  /** Another place that has had parts with all of these tokens. */
  placeOf(tokens: readonly string[], except: string): Promise<string | undefined>;
  /** Records parts with these tokens, which `from` has had, for `to` as well: a folder that was moved or copied. */
  copyParts(from: string, to: string, tokens: readonly string[]): Promise<void>;
  /** The places that hold a call, by format. */
  holding(id: string): Promise<{ place: string; format: string }[]>;
}

/** One delivery to a place. */
export interface PartRecord {
  part: number;
  /** Its files may have appeared, or not. */
  prepared: boolean;
  /** A hash of the archive's id, the part's number and its files; none where an older version wrote it. */
  token?: string;
}

/** Learns from the files of a place what it has had, where the record of it is lost or another archive's. */
export interface Adoption {
  /** Notes, with this connection, calls that a part holds in these formats. */
  adopting(part: number, formats: readonly string[], ids: readonly string[]): Promise<void>;
  /**
  Replaces what is known of a place: it has had these parts, and in them what `adopting` noted.

  Resolves to how many of those calls the archive has, and how many it does not have.
  */
  adopt(
    place: string,
    parts: readonly { part: number; token: string; formats: readonly string[] }[],
  ): Promise<{ known: number; unknown: number }>;
}
