import type { Archive } from "../../../../src/core/archive.ts";
import type { Outcome, Ref, StoredConversation, StoredFilter } from "../../../../src/core/records.ts";
import type { Clauses } from "../contract.ts";

/** The methods of an archive that breaks one promise, made of a real one. Called once for each connection. */
export type Mutate = (real: Archive) => Partial<Archive>;

/** For each clause of a subject, mutants that it must catch, by what is wrong with them. */
export type MutantsOf<C extends Clauses> = { readonly [Sentence in keyof C]: Readonly<Record<string, Mutate>> };

/** Changes each batch. */
export async function* changed<T>(batches: AsyncIterable<T[]>, change: (batch: T[]) => T[]): AsyncGenerator<T[]> {
  for await (const batch of batches) yield change(batch);
}

/** All of it as one batch. */
export async function* atOnce<T>(
  batches: AsyncIterable<T[]>,
  sort?: (one: T, other: T) => number,
): AsyncGenerator<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  if (all.length > 0) yield sort ? all.toSorted(sort) : all;
}

/** The filter without one of its conditions. */
export const without = (filter: StoredFilter, condition: keyof StoredFilter): StoredFilter => {
  const { [condition]: _, ...rest } = filter;
  return rest;
};

/** Changes outcomes before they are committed. */
export const changingOutcomes =
  (change: (outcome: Outcome) => Outcome): Mutate =>
  (real) => ({ commit: (outcomes) => real.commit(outcomes.map(change)) });

/** Changes the record that `find` gives. */
export const changingFound =
  (change: (record: StoredConversation) => StoredConversation | undefined): Mutate =>
  (real) => ({
    find: async (id) => {
      const record = await real.find(id);
      return record && change(record);
    },
  });

/** Changes references before they are selected. */
export const changingRefs =
  (change: (ref: Ref, at: number) => Ref): Mutate =>
  (real) => ({ select: (refs) => real.select(refs.map(change)) });
