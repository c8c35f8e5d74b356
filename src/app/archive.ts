import { resolve } from "node:path";
import { openArchive, openArchiveLock } from "../archive/index.ts";
import type { MigrationHooks } from "../archive/migrate.ts";
import { whyNotWritable } from "../archive/trouble.ts";
import type { Archive } from "../core/archive.ts";
import type { ArchiveLock } from "../core/lock.ts";
import type { AppContext, Host } from "./context.ts";
import { ArchiveBusy } from "./errors.ts";
import { type LockContext, takeLock } from "./locking.ts";
import { channelOf, digestOf, sessionOf } from "./reading.ts";
import type { ArchiveRequest, RunRequest } from "./requests.ts";

// The archive is created here and the cloud in `cloud.ts`, because most commands need no cloud, and loading its packages
// takes longer than everything else.

/** What opening an archive needs: an older one is migrated, which takes its lock and is logged. */
export type ArchiveContext = Pick<AppContext, "host" | "log" | "closing">;

/**
Opens the archive of a request. One of an older version is migrated first.

@param create create it if it does not exist
@throws ArchiveBusy if an archive of an older version is held by another run
*/
export const archiveOf = (
  { archive, settle, wait = 0 }: ArchiveRequest & Pick<RunRequest, "wait">,
  context: ArchiveContext,
  create: boolean,
): Promise<Archive> => {
  const { now } = context.host;
  const settling = settle === undefined ? {} : { settleSeconds: settle };
  if (archive === false)
    return openArchive({ place: undefined, create, now, digestOf, sessionOf, channelOf, ...settling });
  const migration = migrationHooks(archive, context, wait);
  return openArchive({
    place: placeOf(archive, context.host),
    create,
    now,
    digestOf,
    sessionOf,
    channelOf,
    migration,
    ...settling,
  });
};

/** Opens the lock of the archive alone, whichever version it has. @throws NoArchive */
export const archiveLockOf = (archive: string, host: Host): Promise<ArchiveLock> =>
  openArchiveLock(placeOf(archive, host), host.now);

const placeOf = (archive: string, host: Host): string => (/^\w+:/.test(archive) ? archive : resolve(host.cwd, archive));

/** The end of a migration is logged if it took longer than this, in milliseconds. */
const LONG_MS = 3000;

/** Migrates as this process, waiting for another run up to `wait` seconds, and logs it. */
export const migrationHooks = (archive: string, context: LockContext, wait: number): MigrationHooks => {
  const { host, log } = context;
  const advice = `The archive ${archive} must be updated first, and that has to wait for the other run: run the same command again when it has ended, or, if the command has this flag, with --wait 10m. If you are sure that it died, see "callarchive archive unlock".`;
  return {
    lock: (acquire) => takeLock(acquire, context, wait, (holder) => new ArchiveBusy(holder, advice)),
    onStart: ({ version, calls, ms }) => {
      const start = host.now().getTime();
      log("info", "updating-archive", { archive, version, calls, seconds: Math.max(1, Math.round(ms / 1000)) });
      return () => {
        const ms = host.now().getTime() - start;
        if (ms > LONG_MS) log("info", "archive-updated", { archive, version, ms });
      };
    },
  };
};

/** Why the archive of a request cannot be written; undefined if it can. The file need not exist. */
export const archiveRefusal = ({ archive }: ArchiveRequest, host: Host): string | undefined =>
  archive === false ? undefined : whyNotWritable(resolve(host.cwd, archive));
