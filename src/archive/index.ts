import type { Archive } from "../core/archive.ts";
import { UsageError } from "../core/errors.ts";
import type { StoredRecord } from "../core/records.ts";

export interface OpenOptions {
  /** A file's path; undefined for a temporary archive that ends with the run. */
  place: string | undefined;
  /** Whether to create the archive when there is none. */
  create: boolean;
  now: () => Date;
  /**
  How long a conversation of a source without an end of its own is open after its last record, in seconds.

  @default 1800
  */
  settleSeconds?: number;
  /**
  The hex digest of a conversation's transcript, to see whether it has changed. Throws when there is no transcript.

  @default a digest of its documents
  */
  digestOf?: (conversation: StoredRecord) => string;
}

/** Opens the archive at `place`. The database library is loaded only here. @throws UsageError */
export const openArchive = async ({ place, ...options }: OpenOptions): Promise<Archive> => {
  if (place && /^postgres(ql)?:/i.test(place))
    throw new UsageError("An archive in PostgreSQL is not supported by this version; name a file with --archive.");
  if (place && /^\w{2,}:/.test(place)) throw new UsageError(`--archive names a file, not ${place.split(":")[0]}:…`);
  const { openSqlite } = await import("./sqlite.ts");
  return openSqlite({ path: place, ...options });
};
