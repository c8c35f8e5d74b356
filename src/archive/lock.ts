import { randomUUID } from "node:crypto";
import { type Holder, type Lockable, LockLost, type Owner } from "../core/lock.ts";
import { type Db, transaction } from "./open.ts";
import { firstRow } from "./rows.ts";

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
  process_space: string | null;
  process_started: string | null;
  started_at: string;
  expires_at: string;
}

/** The archive's lock: one writer at a time. `assertLocked` throws `LockLost` when another run has taken it over. */
export const lock = (db: Db, now: () => Date): Lockable & { assertLocked: () => void } => {
  const current = db.prepare("select * from lock");
  const extend = db.prepare("update lock set expires_at = ? where token = ?");
  let token: string | undefined;
  const expiry = (): string => new Date(now().getTime() + TTL_MS).toISOString();

  /** @param isDead only called when the holder is in the same process space */
  const acquireLock = (owner: Owner, isDead: (owner: Owner) => boolean): Holder | undefined => {
    const row = firstRow<LockRow>(current.get());
    const sameProcessSpace = row && row.host === owner.host && row.process_space === (owner.processSpace ?? null);
    if (row && row.expires_at > now().toISOString() && !(sameProcessSpace && isDead(holderOf(row)))) {
      // An expiry beyond our own limit means that the owner's clock is ahead: shorten it. A living owner renews it.
      const expires = row.expires_at > expiry() ? expiry() : row.expires_at;
      if (expires !== row.expires_at) extend.run(expires, row.token);
      return { ...holderOf(row), expiresAt: expires };
    }
    token = randomUUID();
    db.exec("delete from lock");
    db.prepare(
      `insert into lock (one, token, pid, host, process_space, process_started, started_at, expires_at)
       values (1, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      token,
      owner.pid,
      owner.host,
      owner.processSpace ?? null,
      owner.processStarted ?? null,
      now().toISOString(),
      expiry(),
    );
    return undefined;
  };

  const assertLocked = (): void => {
    if (token !== undefined && extend.run(expiry(), token).changes === 0)
      throw new LockLost(
        "Another run took the archive over, because this run did not renew its lock for a minute. Run the same command again.",
      );
  };
  return {
    assertLocked,
    acquire: async (owner, isDead) => transaction(db, () => acquireLock(owner, isDead)),
    renew: async () => assertLocked(),
    release: async () => {
      if (token !== undefined) db.prepare("delete from lock where token = ?").run(token);
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

const holderOf = ({ pid, host, process_space, process_started, started_at, expires_at }: LockRow): Holder => ({
  pid,
  host,
  ...(process_space !== null && { processSpace: process_space }),
  ...(process_started !== null && { processStarted: process_started }),
  startedAt: started_at,
  expiresAt: expires_at,
});
