import type { Archive } from "../core/archive.ts";
import { UsageError } from "../core/errors.ts";
import type { Inbox } from "../core/inbox.ts";
import type { ArchiveLock } from "../core/lock.ts";
import type { ScoreCache } from "../core/score-cache.ts";
import type { SqliteOptions } from "./sqlite.ts";

export interface OpenOptions extends Omit<SqliteOptions, "path"> {
  /** A file's path; undefined for a temporary archive that ends with the run. */
  place: string | undefined;
}

/** Opens the archive at `place`. The database library is loaded only here. @throws UsageError */
export const openArchive = async ({ place, ...options }: OpenOptions): Promise<Archive> => {
  checkPlace(place);
  const { openSqlite } = await import("./sqlite.ts");
  return openSqlite({ path: place, ...options });
};

/** Opens only the lock of the archive at `place`, which is not migrated. @throws UsageError */
export const openArchiveLock = async (place: string, now: () => Date): Promise<ArchiveLock> => {
  checkPlace(place);
  const { openSqliteLock } = await import("./sqlite.ts");
  return openSqliteLock(place, now);
};

/** Opens the inbox at `place`; undefined when there is none and `create` is false. @throws UsageError */
export const openInboxAt = async (place: string, create: boolean, now: () => Date): Promise<Inbox | undefined> => {
  const { openInbox } = await import("./inbox.ts");
  return openInbox(place, create, now);
};

/** Opens the scores at `place`, and creates them if there are none. @throws UsageError */
export const openScoresAt = async (place: string): Promise<ScoreCache> => {
  const { openScores } = await import("./scores.ts");
  return openScores(place);
};

const checkPlace = (place: string | undefined): void => {
  if (place && /^postgres(ql)?:/i.test(place))
    throw new UsageError("An archive in PostgreSQL is not supported by this version; name a file with --archive.");
  if (place && /^\w{2,}:/.test(place)) throw new UsageError(`--archive names a file, not ${place.split(":")[0]}:…`);
};
