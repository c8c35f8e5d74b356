import type { StoredFilter } from "../../../../src/core/records.ts";
import { Broken } from "../../mutants.ts";
import { collect } from "../contract.ts";
import type { facts } from "../facts.ts";
import type { reading } from "../reading.ts";
import type { retention } from "../retention.ts";
import { atOnce, changed, changingFound, type MutantsOf, type Mutate, without } from "./mutant.ts";

/** A list that ignores a condition. */
const listing =
  (condition: keyof StoredFilter): Mutate =>
  (real) => ({ list: (filter, options) => real.list(without(filter, condition), options) });
/** A prune that ignores a condition. */
const pruning =
  (condition: keyof StoredFilter): Mutate =>
  (real) => ({ prune: (filter) => real.prune(without(filter, condition)) });

/** An empty list counts as no condition. */
const nonEmpty = ({ agents, states, ...filter }: StoredFilter): StoredFilter => ({
  ...filter,
  ...(agents?.length && { agents }),
  ...(states?.length && { states }),
});

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

export const readingMutants: MutantsOf<typeof reading> = {
  "records come by start, then id in lower case; those without a start come last": {
    "records come by id": (real) => ({
      records: () => atOnce(real.records(), (one, other) => compare(one.id.toLowerCase(), other.id.toLowerCase())),
    }),
    "those without a start come first": (real) => ({
      records: () => atOnce(real.records(), (one, other) => compare(one.startedAt ?? "", other.startedAt ?? "")),
    }),
    "a list comes by item": (real) => ({
      list: (...values) => atOnce(real.list(...values), (one, other) => one.item - other.item),
    }),
    "raw records come backwards": (real) => ({
      rawRecords: () => changed(real.rawRecords(), (batch) => batch.toReversed()),
    }),
  },
  "equal starts are ordered by id, whatever characters the ids have": {
    "ids are ordered by units of UTF-16": (real) => ({
      records: () => atOnce(real.records(), (one, other) => compare(one.id.toLowerCase(), other.id.toLowerCase())),
    }),
    "ids are ordered as written": (real) => ({
      records: () => atOnce(real.records(), (one, other) => Buffer.compare(Buffer.from(one.id), Buffer.from(other.id))),
    }),
  },
  "records have what was stored, and only selected and fetched calls are among them": {
    "all fetched calls are records": (real) => ({
      records: () => real.list({ states: ["fetched", "missing"] }, { documents: true }),
    }),
    "records have no link": (real) => ({
      records: () => changed(real.records(), (batch) => batch.map(({ link: _, ...record }) => record)),
    }),
    "raw records have no metadata": (real) => ({
      rawRecords: () => changed(real.rawRecords(), (batch) => batch.map((raw) => ({ ...raw, meta: undefined }))),
    }),
    "unsettled calls are all that are stored": (real) => ({ unsettled: () => real.list({}) }),
    "find forgets the agent": changingFound(({ agentId: _, ...record }) => record),
  },
  "batches are of bounded size, in calls and in bytes": {
    "records come at once": (real) => ({ records: () => atOnce(real.records()) }),
    "raw records come at once": (real) => ({ rawRecords: () => atOnce(real.rawRecords()) }),
    "a list comes at once": (real) => ({ list: (...values) => atOnce(real.list(...values)) }),
  },
  "a reader that stops early, or reads while calls are committed, does no harm": {
    "a reader keeps others from writing": (real) => {
      let isReading = false;
      return {
        async *records() {
          isReading = true;
          yield* real.records();
          isReading = false;
        },
        commit: async (outcomes) => {
          if (isReading) throw new Broken("The archive is being read.");
          return real.commit(outcomes);
        },
      };
    },
  },
  "ids are found by their beginning, sorted, in any case, up to a limit": {
    "the limit is ignored": (real) => ({ beginningWith: (beginning) => real.beginningWith(beginning, 1000) }),
    "a beginning is a pattern": (real) => ({
      beginningWith: (beginning, limit) => real.beginningWith(beginning.replace(/[%_].*/s, ""), limit),
    }),
    "ids are not sorted": (real) => ({
      beginningWith: async (...values) => (await real.beginningWith(...values)).toReversed(),
    }),
    "letter case matters": (real) => ({
      beginningWith: async (beginning, limit) =>
        (await real.beginningWith(beginning, limit)).filter((id) => id.startsWith(beginning)),
    }),
  },
  "a list has the calls that meet every condition, by start": {
    "agents are ignored": listing("agents"),
    "since is ignored": listing("since"),
    "until is ignored": listing("until"),
    "states are ignored": listing("states"),
    "an id is ignored": listing("id"),
    "a limit is ignored": listing("limit"),
  },
  "no agent and no state is a condition that no call meets": {
    "an empty list is no condition of a list": (real) => ({ list: (filter) => real.list(nonEmpty(filter)) }),
    "an empty list is no condition of prune": (real) => ({ prune: (filter) => real.prune(nonEmpty(filter)) }),
    "an empty list is no condition of a selection": (real) => ({
      selectStored: (filter) => real.selectStored(nonEmpty(filter)),
    }),
  },
  "a list has documents and metadata only when asked": {
    "it always has them": (real) => ({ list: (filter) => real.list(filter, { documents: true }) }),
    "it never has them": (real) => ({ list: (filter) => real.list(filter) }),
  },
};

export const factsMutants: MutantsOf<typeof facts> = {
  "an archive has a random id that stays": {
    "the id is not random": (real) => ({
      fact: async (name) => (name === "id" ? "0".repeat(32) : real.fact(name)),
    }),
    "the id does not stay": (real) => ({
      fact: async (name) => (name === "id" ? crypto.randomUUID().replaceAll("-", "") : real.fact(name)),
    }),
  },
  "facts are kept, changed and deleted, each by its name": {
    "a fact is never changed": (real) => ({
      setFact: async (name, value) => {
        if ((await real.fact(name)) === undefined) await real.setFact(name, value);
      },
    }),
    "letter case of a name does not matter": (real) => ({
      fact: (name) => real.fact(name.toLowerCase() as typeof name),
      setFact: (name, value) => real.setFact(name.toLowerCase() as typeof name, value),
    }),
  },
  "a closed archive answers with an error": { "close does nothing": () => ({ close: async () => undefined }) },
};

export const retentionMutants: MutantsOf<typeof retention> = {
  "pruning leaves a tombstone without document, metadata, status and error": {
    "prune keeps the bytes": (real) => ({ prune: async (filter) => (await collect(real.list(filter))).length }),
    "the status stays": changingFound((record) => ({ ...record, status: "Ended" })),
    "the agent is forgotten too": changingFound(({ agentId: _, ...record }) => record),
    "the bytes are still counted": (real) => {
      let most = 0;
      return {
        commit: async (outcomes) => {
          const conflicts = await real.commit(outcomes);
          most = Math.max(most, (await real.summary()).storedBytes);
          return conflicts;
        },
        summary: async () => ({ ...(await real.summary()), storedBytes: most }),
      };
    },
  },
  "only the calls that match are pruned": {
    "until is ignored": pruning("until"),
    "agents are ignored": pruning("agents"),
    "an id is ignored": pruning("id"),
    "a limit is ignored": pruning("limit"),
  },
  "the archive knows that deleted bytes are left, until a scrub succeeded": {
    "scrub does nothing": () => ({ scrub: async () => undefined }),
    "nobody knows of deleted bytes": (real) => ({
      fact: async (name) => (name === "scrub" ? undefined : real.fact(name)),
    }),
  },
  "a good archive has no problems, after every kind of change": {
    "integrity tells that all is well": () => ({ integrity: async () => ["ok"] }),
  },
};
