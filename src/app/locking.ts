import { setTimeout as delay } from "node:timers/promises";
import type { Holder, Lockable, Owner } from "../core/lock.ts";
import type { AppContext, Host } from "./context.ts";
import { ArchiveBusy } from "./errors.ts";

/** How often a waiting run tries to get the lock, in milliseconds. */
const RETRY_MS = 500;

/** The process that takes a lock, and how it waits. */
export interface LockContext extends Pick<AppContext, "log" | "closing"> {
  host: Pick<Host, "pid" | "host" | "processSpace" | "isAlive" | "startOf" | "now">;
}

/**
Takes an archive's lock for this process. While another run holds it, waits up to `waitSeconds`.

@param busy the error for a run that does not get the lock
@throws that error, and the reason of `closing`
*/
export const takeLock = async (
  acquire: Lockable["acquire"],
  { host, log, closing }: LockContext,
  waitSeconds: number,
  busy = (holder: Holder): ArchiveBusy => new ArchiveBusy(holder),
): Promise<void> => {
  const processStarted = host.startOf(host.pid);
  const owner: Owner = {
    pid: host.pid,
    host: host.host,
    processSpace: host.processSpace,
    ...(processStarted !== undefined && { processStarted }),
  };
  /** Whether the process has ended; another process may have its id by now. */
  const isDead = ({ pid, processStarted: recorded }: Owner): boolean => {
    if (!host.isAlive(pid)) return true;
    const started = host.startOf(pid);
    return recorded !== undefined && started !== undefined && recorded !== started;
  };
  const until = host.now().getTime() + waitSeconds * 1000;
  for (let announced = false; ; announced = true) {
    const holder = await acquire(owner, isDead);
    if (!holder) return;
    if (host.now().getTime() >= until) throw busy(holder);
    if (!announced) log("info", "waiting", { pid: holder.pid, host: holder.host, startedAt: holder.startedAt });
    await delay(RETRY_MS, undefined, { signal: closing }).catch(() => undefined);
    closing.throwIfAborted();
  }
};
