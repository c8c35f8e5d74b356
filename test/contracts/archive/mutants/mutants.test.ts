import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { Archive } from "../../../../src/core/archive.ts";
import { expectCaught } from "../../mutants.ts";
import type { Clauses } from "../contract.ts";
import { ARCHIVE_CONTRACT, runCheck } from "../index.ts";
import { sqliteArchive } from "../sqlite.ts";
import { callRecordsMutants, mediaMutants } from "./call-records.ts";
import { committingMutants, mergingMutants, sameIdMutants } from "./committing.ts";
import { adoptingMutants, deliveriesMutants } from "./deliveries.ts";
import { lockingMutants } from "./locking.ts";
import type { MutantsOf } from "./mutant.ts";

import { readingMutants } from "./reading.ts";
import { recordsMutants, revisionsMutants } from "./records.ts";
import { factsMutants, retentionMutants } from "./retention.ts";
import { cursorsMutants, reportsMutants, runsMutants } from "./runs.ts";
import { listingMutants, selectingMutants } from "./selecting.ts";

/** The type demands mutants for every clause of the contract. */
const MUTANTS: { [Subject in keyof typeof ARCHIVE_CONTRACT]: MutantsOf<(typeof ARCHIVE_CONTRACT)[Subject]> } = {
  selecting: selectingMutants,
  listing: listingMutants,
  committing: committingMutants,
  merging: mergingMutants,
  "call logs of one instance id": sameIdMutants,
  reading: readingMutants,
  "records of conversations that have many": recordsMutants,
  "records of calls": callRecordsMutants,
  "files of conversations": mediaMutants,
  revisions: revisionsMutants,
  runs: runsMutants,
  cursors: cursorsMutants,
  reports: reportsMutants,
  deliveries: deliveriesMutants,
  adopting: adoptingMutants,
  facts: factsMutants,
  locking: lockingMutants,
  retention: retentionMutants,
};

// The first failure is enough; a smaller one is not needed.
const before = fc.readConfigureGlobal();
fc.configureGlobal({ ...before, endOnFailure: true });
afterAll(() => fc.configureGlobal(before));

describe("the archive's contract catches an archive that breaks a promise:", () => {
  const broken = new Set<string>();
  for (const [subject, clauses] of Object.entries<Clauses>(ARCHIVE_CONTRACT))
    for (const [sentence, check] of Object.entries(clauses)) {
      const mutants = (MUTANTS as Record<string, MutantsOf<Clauses>>)[subject]?.[sentence] ?? {};
      test(`${subject}: ${sentence}`, async () => {
        expect(Object.keys(mutants)).not.toEqual([]);
        for (const [breaks, mutate] of Object.entries(mutants)) {
          const wrap = (real: Archive): Archive => {
            const methods = mutate(real);
            for (const method of Object.keys(methods)) broken.add(method);
            return { ...real, ...methods };
          };
          await expectCaught(breaks, () => runCheck(check, sqliteArchive, wrap));
        }
      });
    }

  test("a mutant breaks each method", async () => {
    for (const subject of Object.values(MUTANTS))
      for (const mutants of Object.values<Record<string, (real: Archive) => Partial<Archive>>>(subject))
        for (const mutate of Object.values(mutants))
          for (const method of Object.keys(mutate({} as Archive))) broken.add(method);
    const made = await sqliteArchive();
    const archive = await made.open();
    const methods = Object.keys(archive);
    await archive.close();
    await made.clear();
    expect(methods.filter((method) => !broken.has(method))).toEqual([]);
  });
});
