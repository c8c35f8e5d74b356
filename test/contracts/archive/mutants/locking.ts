import type { Archive } from "../../../../src/core/archive.ts";
import { LockLost } from "../../../../src/core/lock.ts";
import { Broken } from "../../mutants.ts";
import type { locking } from "../locking.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

/** A method that does nothing when the lock is lost, and does not tell. */
const silently =
  (method: keyof Archive): Mutate =>
  (real) => ({
    [method]: async (...values: never[]) => {
      try {
        return await (real[method] as (...values: never[]) => Promise<unknown>)(...values);
      } catch (error) {
        if (!(error instanceof LockLost)) throw error;
        return undefined;
      }
    },
  });

const WRITES = [
  ...(["renew", "select", "commit", "moveCursor", "setFact", "acknowledge", "takeBack"] as const),
  ...(["prepare", "confirm", "withdraw", "setTokens", "copyParts", "adopt", "prune", "scrub"] as const),
];

export const lockingMutants: MutantsOf<typeof locking> = {
  "one connection holds the lock, and others are told who": {
    "acquire gives two locks": () => ({ acquire: async () => undefined }),
    "nobody is told the holder": () => ({ holder: async () => undefined }),
  },
  "an owner comes back as it was, whatever its texts are": {
    "the start of its process is lost": (real) => ({
      acquire: ({ processStarted: _, ...owner }, isDead) => real.acquire(owner, isDead),
    }),
  },
  "a released lock is free": {
    "release does nothing": () => ({ release: async () => undefined }),
    "release frees any lock": (real) => ({
      release: async () => {
        const holder = await real.holder();
        if (holder) await real.unlock(holder);
      },
    }),
  },
  "a lock that was not renewed for a minute is taken over": {
    "a lock is for ever": (real) => ({
      acquire: async (owner, isDead) => (await real.holder()) ?? real.acquire(owner, isDead),
    }),
    "an expired lock has no holder": (real) => ({
      holder: async () => {
        const holder = await real.holder();
        return holder && holder.expiresAt < "2025-01-01T00:01:01.000Z" ? undefined : holder;
      },
    }),
  },
  "renewing the lock keeps it, and so does every commit": {
    "renew does nothing": () => ({ renew: async () => undefined }),
  },
  "a lock of a dead process is taken over, of the same host and process space only": {
    "every owner may be dead": (real) => ({
      acquire: async (owner, isDead) => {
        const holder = await real.holder();
        if (holder && isDead(holder)) await real.unlock(holder);
        return real.acquire(owner, isDead);
      },
    }),
    "no owner is dead": (real) => ({ acquire: (owner) => real.acquire(owner, () => false) }),
  },
  "a lock lasts a minute at most, even if the clock of its owner was ahead": {
    "the owner's clock counts": (real) => ({
      acquire: async (owner, isDead) => {
        const before = await real.holder();
        const holder = await real.acquire(owner, isDead);
        return holder && before ? { ...holder, expiresAt: before.expiresAt } : holder;
      },
    }),
  },
  "who has lost the lock can write nothing any more": Object.fromEntries(
    WRITES.map((method) => [`${method} does not tell that the lock is lost`, silently(method)]),
  ),
  "who has lost the lock still records the end of its run, but no reports": {
    "the end is not recorded": (real) => ({
      endRun: async (run, end) => {
        await real.renew().catch((error) => {
          throw end.reported ? error : new Broken("The end of the run is not recorded.");
        });
        await real.endRun(run, end);
      },
    }),
    "the loss is not told": silently("endRun"),
  },
  "the lock of a named holder is removed, and no other": {
    "any lock is removed": (real) => ({
      unlock: async () => {
        const holder = await real.holder();
        return holder ? real.unlock(holder) : false;
      },
    }),
    "only a lock that was not renewed is removed": (real) => ({
      unlock: async (holder) => ((await real.holder())?.expiresAt === holder.expiresAt ? real.unlock(holder) : false),
    }),
  },
};
