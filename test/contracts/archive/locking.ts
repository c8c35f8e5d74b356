import { expect } from "vitest";
import type { Archive } from "../../../src/core/archive.ts";
import type { Owner } from "../../../src/core/lock.ts";
import { type Clauses, choose, clock, expectRefused, failure, fetched } from "./contract.ts";

const ours: Owner = { pid: 1, host: "one", processSpace: "space", processStarted: "10" };
const theirs: Owner = { pid: 2, host: "two" };
const alive = (): boolean => false;
const dead = (): boolean => true;
const LOST = { name: "LockLost" };

export const locking = {
  "one connection holds the lock, and others are told who": async ({ open }) => {
    const { now } = clock();
    const [one, other] = [await open(now), await open(now)];
    expect(await one.holder()).toBeUndefined();
    expect(await one.acquire(ours, alive)).toBeUndefined();
    const expected = { ...ours, startedAt: now().toISOString() };
    const holder = await other.acquire(theirs, alive);
    expect(holder).toMatchObject(expected);
    expect(new Date(holder?.expiresAt ?? "").getTime()).toBe(now().getTime() + 60_000);
    expect(await other.holder()).toEqual(holder);
    expect(await one.holder()).toEqual(holder);
  },

  "an owner comes back as it was, whatever its texts are": async ({ open }) => {
    const archive = await open();
    const owner = { pid: 4_194_304, host: "h'\"%; --\u{1f600}", processSpace: "\\", processStarted: "0" };
    await archive.acquire(owner, alive);
    expect(await archive.holder()).toMatchObject(owner);
  },

  "a released lock is free": async ({ open }) => {
    const [one, other] = [await open(), await open()];
    await one.acquire(ours, alive);
    await one.release();
    expect(await other.holder()).toBeUndefined();
    expect(await other.acquire(theirs, alive)).toBeUndefined();
    expect(await other.holder()).toMatchObject(theirs);
    // Who has no lock releases none.
    await one.release();
    expect(await other.holder()).toMatchObject(theirs);
  },

  "a lock that was not renewed for a minute is taken over": async ({ open }) => {
    const { now, pass } = clock();
    const [one, other] = [await open(now), await open(now)];
    await one.acquire(ours, alive);
    pass(59);
    expect(await other.acquire(theirs, alive)).toMatchObject(ours);
    pass(2);
    // It is told also after it has expired.
    expect(await other.holder()).toMatchObject(ours);
    expect(await other.acquire(theirs, alive)).toBeUndefined();
    expect(await one.holder()).toMatchObject(theirs);
  },

  "renewing the lock keeps it, and so does every commit": async ({ open }) => {
    const { now, pass } = clock();
    const [one, other] = [await open(now), await open(now)];
    await one.acquire(ours, alive);
    pass(50);
    await one.renew();
    pass(50);
    expect(await other.acquire(theirs, alive)).toMatchObject(ours);
    await one.commit([fetched((await choose(one, "a")).item, "{}")]);
    pass(50);
    expect(await other.acquire(theirs, alive)).toMatchObject(ours);
    pass(11);
    expect(await other.acquire(theirs, alive)).toBeUndefined();
  },

  "a lock of a dead process is taken over, of the same host and process space only": async ({ open }) => {
    const one = await open();
    await one.acquire(ours, alive);
    const other = await open();
    const asked: Owner[] = [];
    const isDead = (owner: Owner): boolean => {
      asked.push(owner);
      return true;
    };
    expect(await other.acquire({ ...ours, pid: 9, host: "two" }, isDead)).toMatchObject(ours);
    expect(await other.acquire({ ...ours, pid: 9, processSpace: "another" }, isDead)).toMatchObject(ours);
    expect(await other.acquire({ pid: 9, host: "one" }, isDead)).toMatchObject(ours);
    expect(asked).toEqual([]);
    expect(await other.acquire({ ...ours, pid: 9 }, alive)).toMatchObject(ours);
    expect(await other.acquire({ ...ours, pid: 9 }, isDead)).toBeUndefined();
    expect(asked).not.toEqual([]);
    for (const owner of asked) expect(owner).toMatchObject(ours);
    expect(await one.holder()).toMatchObject({ pid: 9 });
  },

  "a lock lasts a minute at most, even if the clock of its owner was ahead": async ({ open }) => {
    const { now, pass } = clock();
    const ahead = await open(() => new Date(now().getTime() + 86_400_000));
    await ahead.acquire(ours, alive);
    const other = await open(now);
    const holder = await other.acquire(theirs, alive);
    expect(holder?.expiresAt).toBe(new Date(now().getTime() + 60_000).toISOString());
    pass(61);
    expect(await other.acquire(theirs, alive)).toBeUndefined();
  },

  "who has lost the lock can write nothing any more": async ({ open }) => {
    const lost = await open();
    const { item } = await choose(lost, "a");
    await lost.acquire(ours, alive);
    const other = await open();
    await other.acquire({ ...ours, pid: 9 }, dead);
    const writes: ((archive: Archive) => Promise<unknown>)[] = [
      (archive) => archive.renew(),
      (archive) => archive.select([{ instanceId: "b" }]),
      (archive) => archive.commit([fetched(item, "{}")]),
      (archive) => archive.moveCursor("a", new Date(1)),
      (archive) => archive.setFact("region", "x"),
      (archive) => archive.setFact("region", undefined),
      (archive) => archive.acknowledge([item]),
      (archive) => archive.takeBack([item]),
      (archive) => archive.prepare("/p", ["csv"], 1),
      (archive) => archive.confirm("/p", 1),
      (archive) => archive.withdraw("/p", 1),
      (archive) => archive.setTokens("/p", [{ part: 1, token: "t" }]),
      (archive) => archive.copyParts("/p", "/q", ["t"]),
      (archive) => archive.adopt("/p", [{ part: 1, token: "t", formats: ["csv"] }]),
      (archive) => archive.prune({}),
      (archive) => archive.scrub(),
    ];
    for (const write of writes) await expectRefused(write(lost), LOST);
    const third = await open();
    expect(await third.find("a")).toMatchObject({ state: "pending" });
    expect(await third.find("b")).toBeUndefined();
    expect(await third.cursor("a")).toBeUndefined();
    expect(await third.fact("region")).toBeUndefined();
    expect(await third.parts("/p")).toEqual([]);
    // It may still read, and the new owner may write.
    expect(await lost.counts()).toMatchObject({ pending: 1 });
    for (const write of writes) await write(other);
    // Releasing what it has lost takes nothing from the new owner.
    await lost.release();
    expect(await third.holder()).toMatchObject({ pid: 9 });
  },

  "who has lost the lock still records the end of its run, but no reports": async ({ open }) => {
    const lost = await open();
    await lost.acquire(ours, alive);
    await lost.commit([failure((await choose(lost, "a")).item, "missing")]);
    const run = await lost.beginRun({ command: "pull", version: "1", startedAt: "x" });
    const other = await open();
    await other.acquire({ ...ours, pid: 9 }, dead);
    const end = { endedAt: "y", exitCode: 1, detail: {} };
    await expectRefused(lost.endRun(run, { ...end, reported: true }), LOST);
    expect((await other.find("a"))?.known).toBeUndefined();
    await lost.endRun(run, end);
    expect(await other.lastRuns()).toMatchObject([{ run, exitCode: 1 }]);
  },

  "the lock of a named holder is removed, and no other": async ({ open }) => {
    const { now, pass } = clock();
    const [one, other] = [await open(now), await open(now)];
    await one.acquire(ours, alive);
    const holder = await other.holder();
    if (!holder) throw new Error("There is no holder.");
    expect(await other.unlock({ ...holder, pid: 9 })).toBe(false);
    expect(await other.unlock({ ...holder, host: "elsewhere" })).toBe(false);
    expect(await other.unlock({ ...holder, startedAt: "another time" })).toBe(false);
    expect(await one.holder()).toEqual(holder);
    // It may have been renewed since it was shown.
    pass(1);
    await one.renew();
    expect(await other.unlock(holder)).toBe(true);
    expect(await other.holder()).toBeUndefined();
    await expectRefused(one.renew(), LOST);
    expect(await other.unlock(holder)).toBe(false);
  },
} satisfies Clauses;
