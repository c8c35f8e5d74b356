import { randomUUID } from "node:crypto";
import { type Holder, type Lockable, LockLost, type Owner } from "../core/archive.ts";
import { type Db, transaction } from "./open.ts";
import { one } from "./rows.ts";

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
  started_at: string;
  expires_at: string;
}

/** One writer at a time. `held` throws when another has taken over since. */
export const lock = (db: Db, now: () => Date): Lockable & { held: () => void } => {
  const current = db.prepare("select * from lock");
  const extend = db.prepare("update lock set expires_at = ? where token = ?");
  let token: string | undefined;
  const expiry = (): string => new Date(now().getTime() + TTL_MS).toISOString();

  const take = (owner: Owner, isDead: (owner: Owner) => boolean): Holder | undefined => {
    const holder = one<LockRow>(current.get());
    if (holder && holder.expires_at > now().toISOString() && !(holder.host === owner.host && isDead(holder)))
      return { pid: holder.pid, host: holder.host, startedAt: holder.started_at, expiresAt: holder.expires_at };
    token = randomUUID();
    db.exec("delete from lock");
    db.prepare("insert into lock (one, token, pid, host, started_at, expires_at) values (1, ?, ?, ?, ?, ?)").run(
      token,
      owner.pid,
      owner.host,
      now().toISOString(),
      expiry(),
    );
    return undefined;
  };

  const held = (): void => {
    if (token !== undefined && extend.run(expiry(), token).changes === 0)
      throw new LockLost("Another run took the archive over, because this one was silent for too long.");
  };
  return {
    held,
    acquire: async (owner, isDead) => transaction(db, () => take(owner, isDead)),
    renew: async () => held(),
    release: async () => {
      if (token !== undefined) db.prepare("delete from lock where token = ?").run(token);
      token = undefined;
    },
  };
};
