import { describe, expect, test } from "vitest";
import type { Archive } from "../../../src/core/archive.ts";
import { adopting } from "./adopting.ts";
import { callRecords } from "./call-records.ts";
import { committing } from "./committing.ts";
import type { Check, Clauses, Place } from "./contract.ts";
import { cursors } from "./cursors.ts";
import { deliveries } from "./deliveries.ts";
import { facts } from "./facts.ts";
import { listing } from "./listing.ts";
import { locking } from "./locking.ts";
import { media } from "./media.ts";
import { merging } from "./merging.ts";
import { reading } from "./reading.ts";
import { records, revisions } from "./records.ts";
import { reports } from "./reports.ts";
import { retention } from "./retention.ts";
import { runs } from "./runs.ts";
import { sameId } from "./same-id.ts";
import { selecting } from "./selecting.ts";

/** What every archive does, whatever database is behind it, by subject. */
export const ARCHIVE_CONTRACT = {
  selecting,
  listing,
  committing,
  merging,
  "call logs of one instance id": sameId,
  reading,
  "records of conversations that have many": records,
  "records of calls": callRecords,
  "files of conversations": media,
  revisions,
  runs,
  cursors,
  reports,
  deliveries,
  adopting,
  facts,
  locking,
  retention,
} satisfies Record<string, Clauses>;

/** An archive for one test. `clear` deletes it. */
export interface MadeArchive extends Pick<Place, "open" | "damage"> {
  clear(): void | Promise<void>;
}

/**
Runs one check on a new archive.

@param wrap gets every connection that the check opens, and returns the archive that the check uses
*/
export const runCheck = async (
  check: Check,
  make: () => Promise<MadeArchive>,
  wrap: (archive: Archive) => Archive = (archive) => archive,
): Promise<void> => {
  const archives: MadeArchive[] = [];
  const connections: Archive[] = [];
  const another = async (): Promise<Place> => {
    const made = await make();
    archives.push(made);
    return {
      open: async (now) => {
        const archive = await made.open(now);
        connections.push(archive);
        return wrap(archive);
      },
      damage: made.damage,
      another,
    };
  };
  try {
    await check(await another());
  } finally {
    for (const archive of connections) await archive.close().catch(() => undefined);
    for (const made of archives) await made.clear();
  }
};

/** The same archive; adds the name of each method that is called to `called`. */
const recording = (archive: Archive, called: Set<string>): Archive =>
  new Proxy(archive, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...values: unknown[]) => {
        called.add(String(name));
        return value.apply(target, values);
      };
    },
  });

/** Checks that an adapter keeps the contract, and that the contract calls each of its methods. */
export const archiveContract = (name: string, make: () => Promise<MadeArchive>) =>
  describe(`${name} keeps the archive's contract`, () => {
    const called = new Set<string>();
    const done = new Set<Check>();
    const run = async (check: Check): Promise<void> => {
      done.add(check);
      await runCheck(check, make, (archive) => recording(archive, called));
    };
    for (const [subject, clauses] of Object.entries<Clauses>(ARCHIVE_CONTRACT))
      describe(subject, () => {
        for (const [sentence, check] of Object.entries(clauses)) test(sentence, () => run(check));
      });
    test("every method of the archive is called by the contract", async () => {
      // Also when this test runs alone.
      for (const clauses of Object.values<Clauses>(ARCHIVE_CONTRACT))
        for (const check of Object.values(clauses)) if (!done.has(check)) await run(check);
      const made = await make();
      const archive = await made.open();
      const methods = Object.keys(archive);
      await archive.close();
      await made.clear();
      expect(methods.filter((method) => !called.has(method))).toEqual([]);
      expect(called.size).toBeGreaterThan(40);
    });
  });
