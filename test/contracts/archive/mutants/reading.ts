import type { StoredFilter } from "../../../../src/core/records.ts";
import { Broken } from "../../mutants.ts";
import type { reading } from "../reading.ts";
import { atOnce, changed, changingFound, type MutantsOf, type Mutate, without } from "./mutant.ts";

/** A list that ignores a condition. */
const listing =
  (condition: keyof StoredFilter): Mutate =>
  (real) => ({ list: (filter, options) => real.list(without(filter, condition), options) });

/** An empty list counts as no condition. */
const nonEmpty = ({ agents, states, ...filter }: StoredFilter): StoredFilter => ({
  ...filter,
  ...(agents?.length && { agents }),
  ...(states?.length && { states }),
});

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

export const readingMutants: MutantsOf<typeof reading> = {
  "conversations come by start, then id in lower case; those without a start come last": {
    "conversations come by id": (real) => ({
      conversations: () =>
        atOnce(real.conversations(), (one, other) => compare(one.id.toLowerCase(), other.id.toLowerCase())),
    }),
    "those without a start come first": (real) => ({
      conversations: () =>
        atOnce(real.conversations(), (one, other) => compare(one.startedAt ?? "", other.startedAt ?? "")),
    }),
    "a list comes by item": (real) => ({
      list: (...values) => atOnce(real.list(...values), (one, other) => one.item - other.item),
    }),
    "raw records come backwards": (real) => ({
      rawConversations: () => changed(real.rawConversations(), (batch) => batch.toReversed()),
    }),
  },
  "equal starts are ordered by id, whatever characters the ids have": {
    "ids are ordered by units of UTF-16": (real) => ({
      conversations: () =>
        atOnce(real.conversations(), (one, other) => compare(one.id.toLowerCase(), other.id.toLowerCase())),
    }),
    "ids are ordered as written": (real) => ({
      conversations: () =>
        atOnce(real.conversations(), (one, other) => Buffer.compare(Buffer.from(one.id), Buffer.from(other.id))),
    }),
  },
  "records have what was stored, and only selected and fetched calls are among them": {
    "all fetched calls are records": (real) => ({
      conversations: () => real.list({ states: ["fetched", "missing"] }, { documents: true }),
    }),
    "records have no link": (real) => ({
      conversations: () => changed(real.conversations(), (batch) => batch.map(({ link: _, ...record }) => record)),
    }),
    "raw records have no metadata": (real) => ({
      rawConversations: () =>
        changed(real.rawConversations(), (batch) => batch.map((raw) => ({ ...raw, meta: undefined }))),
    }),
    "unsettled calls are all that are stored": (real) => ({ unsettled: () => real.list({}) }),
    "find forgets the agent": changingFound(({ agentId: _, ...record }) => record),
  },
  "batches are of bounded size, in calls and in bytes": {
    "conversations come at once": (real) => ({ conversations: () => atOnce(real.conversations()) }),
    "raw records come at once": (real) => ({ rawConversations: () => atOnce(real.rawConversations()) }),
    "a list comes at once": (real) => ({ list: (...values) => atOnce(real.list(...values)) }),
  },
  "a reader that stops early, or reads while calls are committed, does no harm": {
    "a reader keeps others from writing": (real) => {
      let isReading = false;
      return {
        async *conversations() {
          isReading = true;
          yield* real.conversations();
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
  "a document that cannot be read is an error, and a tolerant list leaves it out": {
    "conversations leave it out": (real) => ({
      conversations: () => real.list({}, { documents: true, tolerant: true }),
    }),
    "raw records leave it out": (real) => ({
      async *rawConversations() {
        for await (const batch of real.list({}))
          yield batch.map((record) => ({ record, meta: undefined, document: undefined, sha256: null }));
      },
    }),
    "find leaves it out": (real) => ({ find: (id) => real.find(id).catch(() => undefined) }),
    "a list leaves it out": (real) => ({ list: (filter) => real.list(filter, { documents: true, tolerant: true }) }),
    "a tolerant list leaves out the call": (real) => ({
      list: (filter, options) =>
        changed(real.list(filter, options), (batch) =>
          options?.tolerant ? batch.filter(({ document }) => document) : batch,
        ),
    }),
  },
  "a list has documents and metadata only when asked": {
    "it always has them": (real) => ({ list: (filter) => real.list(filter, { documents: true }) }),
    "it never has them": (real) => ({ list: (filter) => real.list(filter) }),
  },
};
