import { randomUUID } from "node:crypto";
import { type Holder, type Lockable, LockLost, type Owner } from "../core/lock.ts";
import { type Db, transaction } from "./open.ts";
import { firstRow } from "./rows.ts";

/**
How long a lock outlives the last sign of its owner, in milliseconds.

Well above the longest that a run can be busy without renewing it, and about how long a run on another machine has to
wait after a crash; on the same machine a dead owner is seen at once.
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

/** One writer at a time. `held` throws when another has taken over since. */
export const lock = (db: Db, now: () => Date): Lockable & { assertLocked: () => void } => {
  const current = db.prepare("select * from lock");
  const extend = db.prepare("update lock set expires_at = ? where token = ?");
  let token: string | undefined;
  const expiry = (): string => new Date(now().getTime() + TTL_MS).toISOString();

  /** @param isDead only asked where the holder's process id means the same as here */
  const acquireLock = (owner: Owner, isDead: (owner: Owner) => boolean): Holder | undefined => {
    const row = firstRow<LockRow>(current.get());
    const sameProcessSpace = row && row.host === owner.host && row.process_space === (owner.processSpace ?? null);
    if (row && row.expires_at > now().toISOString() && !(sameProcessSpace && isDead(holderOf(row)))) {
      // Its owner's clock was ahead of ours. If it is alive, it says so again; if not, a minute from now this is over.
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
      throw new LockLost("Another run took the archive over, because this one was silent for too long.");
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
