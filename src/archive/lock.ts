import { randomUUID } from "node:crypto";
import { UsageError } from "../core/errors.ts";
import { type Holder, type Lockable, LockLost, type Owner } from "../core/lock.ts";
import { type Db, LATEST, transaction, versionOf } from "./open.ts";
import { firstRow } from "./rows.ts";
import { isBusy } from "./trouble.ts";

/**
How long a lock lasts after its last renewal, in milliseconds.

It is well above the longest time in which a run does not renew it. After a crash, a run on another machine waits this
long; on the same machine a dead owner is detected at once.
*/
const TTL_MS = 60_000;

interface LockRow {
  token: string;
  pid: number;
  host: string;
  /** Version 1 does not have this column and the next. */
  process_space?: string | null;
  process_started?: string | null;
  started_at: string;
  expires_at: string;
}

export interface LockOptions {
  /**
  For a migration, which starts from an older version, and whose own lock is not renewed while it works: a lock counts as
  long as its process is alive, also after it has expired.
  */
  migrating?: boolean;
  /** The version that the file must have. @default the archive's latest */
  version?: number;
}

/** The archive's lock: one writer at a time. `assertLocked` throws `LockLost` when another run has taken it over. */
export const lock = (
  db: Db,
  now: () => Date,
  { migrating = false, version = LATEST }: LockOptions = {},
): Lockable & { assertLocked: () => void; drop: () => void } => {
  const current = db.prepare("select * from lock");
  const extend = db.prepare("update lock set expires_at = ? where token = ?");
  let token: string | undefined;
  const expiry = (): string => new Date(now().getTime() + TTL_MS).toISOString();

  /** The row of a run that holds the archive. @param isDead only called when the holder is in the same process space */
  const heldRow = (owner: Owner, isDead: (owner: Owner) => boolean): LockRow | undefined => {
    const row = firstRow<LockRow>(current.get());
    if (!row) return undefined;
    const holder = holderOf(row);
    const sameProcessSpace = holder.host === owner.host && holder.processSpace === owner.processSpace;
    if (sameProcessSpace && isDead(holder)) return undefined;
    return row.expires_at > now().toISOString() || (migrating && sameProcessSpace) ? row : undefined;
  };

  const acquireLock = (owner: Owner, isDead: (owner: Owner) => boolean): Holder | undefined => {
    const row = heldRow(owner, isDead);
    if (row) {
      // An expiry beyond our own limit means that the owner's clock is ahead: shorten it. A living owner renews it.
      const expires = row.expires_at > expiry() ? expiry() : row.expires_at;
      if (expires !== row.expires_at) extend.run(expires, row.token);
      return { ...holderOf(row), expiresAt: expires };
    }
    if (!migrating && versionOf(db) !== version)
      throw new UsageError("A newer callarchive has updated the archive since this run opened it. Update callarchive.");
    db.exec("delete from lock");
    token = insertRow(db, { ...owner, startedAt: now().toISOString(), expiresAt: expiry() });
    return undefined;
  };

  const acquire = (owner: Owner, isDead: (owner: Owner) => boolean): Holder | undefined => {
    // Reads first: a migration in another process lets others read, but blocks their writes.
    const row = heldRow(owner, isDead);
    if (row && row.expires_at <= expiry()) return holderOf(row);
    try {
      return transaction(db, () => acquireLock(owner, isDead));
    } catch (error) {
      const holder = isBusy(error) ? firstRow<LockRow>(current.get()) : undefined;
      if (holder) return holderOf(holder);
      throw error;
    }
  };

  const drop = (): void => {
    if (token !== undefined) db.prepare("delete from lock where token = ?").run(token);
  };

  const assertLocked = (): void => {
    if (token !== undefined && extend.run(expiry(), token).changes === 0)
      throw new LockLost(
        "Another run took the archive over, because this run did not renew its lock for a minute. Run the same command again.",
      );
  };
  return {
    assertLocked,
    drop,
    acquire: async (owner, isDead) => acquire(owner, isDead),
    renew: async () => assertLocked(),
    release: async () => {
      drop();
      token = undefined;
    },
    holder: async () => {
      const row = firstRow<LockRow>(current.get());
      return row && holderOf(row);
    },
    unlock: async ({ pid, host, startedAt }) =>
      db.prepare("delete from lock where pid = ? and host = ? and started_at = ?").run(pid, host, startedAt).changes >
      0,
  };
};

/** Inserts the only row of the lock, and returns its token. */
const insertRow = (db: Db, holder: Holder): string => {
  const { pid, host, processSpace = null, processStarted = null, startedAt, expiresAt } = holder;
  const id = randomUUID();
  const columns = db.prepare("select * from lock").columns();
  // Version 1 of the archive has no columns for the process space and the start of the process.
  const hasColumns = columns.some(({ name }) => name === "process_space");
  // Without the columns the token has both, so that the lock of a migration that was killed is recognised at once.
  const token = hasColumns ? id : [id, processStarted, processSpace].join(" ");
  db.prepare("insert into lock (one, token, pid, host, started_at, expires_at) values (1, ?, ?, ?, ?, ?)").run(
    token,
    pid,
    host,
    startedAt,
    expiresAt,
  );
  if (hasColumns)
    db.prepare("update lock set process_space = ?, process_started = ?").run(processSpace, processStarted);
  return token;
};

const holderOf = (row: LockRow): Holder => {
  const [, startedInToken, ...spaceInToken] = row.token.split(" ");
  const processSpace = row.process_space || spaceInToken.join(" ");
  const processStarted = row.process_started || startedInToken;
  return {
    pid: row.pid,
    host: row.host,
    ...(processSpace && { processSpace }),
    ...(processStarted && { processStarted }),
    startedAt: row.started_at,
    expiresAt: row.expires_at,
  };
};
