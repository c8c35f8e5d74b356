import type { MediaKind, MediaState, NamedMedia, StoredMedia } from "./media.ts";

/** A file that no record names, as it was found. */
export type FoundMedia = NamedMedia & Pick<StoredMedia, "item" | "playlist" | "channel" | "at">;

/** How a download came out. */
export type MediaOutcome =
  | ({ media: number; state: "stored" } & Required<Pick<StoredMedia, "sha256" | "bytes">> &
      Pick<StoredMedia, "type" | "seconds">)
  | { media: number; state: Exclude<MediaState, "stored">; error: { code: string; message: string } };

export interface MediaFilter {
  states?: readonly MediaState[];
  kinds?: readonly MediaKind[];
  /** Only files whose conversation is not known. */
  unmatched?: boolean;
  places?: readonly string[];
  /** Only those with a higher number. */
  after?: number;
  /** @default 500 */
  limit?: number;
}

/** A deleted call, of which only its channel and times are known. */
export interface ForgottenCall {
  item: number;
  start: Date;
  end: Date;
}

/** The files of conversations that lie beside the archive, named by their SHA-256. */
export interface Media {
  /**
  Adds files by their place. Of a known one, what was not known is added. Those of a deleted conversation are dropped, also if
  they were added before its call was known, or are found again. Resolves to how many are new.
  */
  addMedia(files: readonly FoundMedia[]): Promise<number>;
  /** The deleted calls that had one of these channels. */
  forgottenCalls(channels: readonly string[]): Promise<ForgottenCall[]>;
  /** In order of their numbers. */
  listMedia(filter?: MediaFilter): Promise<StoredMedia[]>;
  /** Commits all or none. A stored file stays stored. */
  commitMedia(outcomes: readonly MediaOutcome[]): Promise<void>;
  /** By state and kind: how many files; the bytes of stored ones, and the time of the oldest of the others. */
  mediaSummary(): Promise<{ state: MediaState; kind: MediaKind; files: number; bytes: number; oldest?: Date }[]>;
  /**
  Files whose bytes no conversation has any more: they are to be deleted. `unfinished`: a download that did not end, by the
  SHA-256 of its place.
  */
  discardedMedia(): Promise<{ sha256: string; type?: string; unfinished?: true }[]>;
  /** Their bytes are deleted. */
  forgetDiscarded(hashes: readonly string[]): Promise<void>;
}
