import type { Arrival } from "../../../../src/core/records.ts";
import type { records, revisions } from "../records.ts";
import { changed, changingFound, type MutantsOf, type Mutate, without } from "./mutant.ts";

const changingArrivals =
  (change: (arrival: Arrival, at: number) => Arrival): Mutate =>
  (real) => ({ addRecords: (arrivals, options) => real.addRecords(arrivals.map(change), options) });

const withRecord = (arrival: Arrival, change: Partial<Arrival["record"]>): Arrival => ({
  ...arrival,
  record: { ...arrival.record, ...change },
});

/** The first record with an id is the one that is used. */
const firstWins: Mutate = (real) => {
  const known = new Set<string>();
  return {
    addRecords: (arrivals, options) =>
      real.addRecords(
        arrivals.map((arrival) => {
          const isFirst = !known.has(arrival.record.id);
          known.add(arrival.record.id);
          const data = isFirst ? { ...arrival.record.data, first: " ".repeat(99) } : arrival.record.data;
          return withRecord(arrival, { data });
        }),
        options,
      ),
  };
};

const neverChanged: Mutate = (real) => ({
  delivered: async (...values) => new Map([...(await real.delivered(...values))].map(([item]) => [item, {}])),
});

export const recordsMutants: MutantsOf<typeof records> = {
  "of one conversation are one conversation, in the records' own order": {
    "the order of arrival counts": (real) => {
      let arrived = 0;
      return {
        addRecords: (arrivals) =>
          real.addRecords(arrivals.map((each) => withRecord(each, { at: new Date(Date.UTC(2025, 0, 1) + arrived++) }))),
      };
    },
    "each record is a conversation": changingArrivals((arrival) => ({ ...arrival, conversation: arrival.record.id })),
  },
  "survive closing and opening, byte for byte": {
    "nothing is stored": (real) => ({
      addRecords: async (arrivals) => {
        await real.addRecords([]);
        return arrivals.map(() => "added");
      },
    }),
    "characters are lost": changingArrivals((arrival) =>
      withRecord(arrival, {
        data: { ...arrival.record.data, text: String(arrival.record.data.text).replace("\u0000", "") },
      }),
    ),
  },
  "arrive twice without effect; a final state replaces a running one, and a late running state is dropped": {
    "every state is final": changingArrivals((arrival) => withRecord(arrival, { running: false })),
    "refresh does nothing": (real) => ({ addRecords: (arrivals) => real.addRecords(arrivals) }),
    "a second arrival is another record": (real) => {
      let arrived = 0;
      return {
        addRecords: (arrivals, options) =>
          real.addRecords(
            arrivals.map((each) => withRecord(each, { id: `${each.record.id}#${arrived++}` })),
            options,
          ),
      };
    },
  },
  "with one id and different content are both kept, and counted; the longer one is used": {
    "the one that came first is used": firstWins,
    "the last one replaces the others": (real) => ({
      addRecords: (arrivals) => real.addRecords(arrivals, { refresh: true }),
    }),
    "conflicts are not counted": () => ({ conflicts: async () => 0 }),
  },
  "give the same conversations in any order, in any batches, with any repetition": {
    "the one that came first is used": firstWins,
    "the last of each batch is lost": (real) => ({
      addRecords: (arrivals, options) => real.addRecords(arrivals.slice(0, -1), options),
    }),
  },
  "make a conversation that is open until half an hour after the last of them": {
    "a conversation is never open": (real) => ({
      list: (...values) =>
        changed(real.list(...values), (batch) => batch.map((each) => ({ ...each, state: "fetched" as const }))),
    }),
    "records without a time never settle": changingArrivals(({ record: { at: _, ...record }, ...arrival }) => ({
      ...arrival,
      record,
    })),
  },
  "with unusable ids are refused, and nothing of the batch is stored": {
    "they are cut": changingArrivals((arrival) => ({
      ...withRecord(arrival, { id: arrival.record.id.replace("\u0000", "").slice(0, 99) || "empty" }),
      conversation: arrival.conversation.slice(0, 99) || "empty",
    })),
  },
  "are of their source: only ids of calls fold case, and a bare id of several sources is a usage error": {
    "all ids fold case": changingArrivals((arrival) => ({
      ...arrival,
      conversation: arrival.conversation.toLowerCase(),
    })),
    "all are calls": changingArrivals((arrival) => ({ ...arrival, source: "calls" })),
    "the source of a filter does not matter": (real) => ({
      list: (filter, options) => real.list(without(filter, "sources"), options),
    }),
    "a bare id is that of a call": changingFound((found) => ({ ...found, source: "calls" })),
  },
  "are selected, found, summed up and deleted by source": {
    "a selection is of all sources": (real) => ({
      selectStored: (filter) => real.selectStored(without(filter, "sources")),
    }),
    "a list is of all sources": (real) => ({
      list: (filter, options) => real.list(without(filter, "sources"), options),
    }),
    "an id is found in all sources": (real) => ({ find: (id) => real.find(id) }),
    "the beginning of an id is found in all sources": (real) => ({
      beginningWith: (beginning, limit) => real.beginningWith(beginning, limit),
    }),
    "the summary is of all sources": (real) => ({ summary: () => real.summary() }),
    "the summary names no sources": (real) => ({
      summary: async (sources) => ({ ...(await real.summary(sources)), sources: [] }),
    }),
    "all sources are pruned": (real) => ({ prune: (filter) => real.prune(without(filter, "sources")) }),
  },
  "name their source where it is asked which outputs hold them": {
    "it is asked of all sources": (real) => ({ holding: (id) => real.holding(id) }),
  },
  "are deleted with their conversation; what comes later for it is dropped": {
    "they stay": () => ({ prune: async () => 1 }),
    "what comes later is a new conversation": (real) => {
      let pruned = "";
      return {
        prune: async (filter) => {
          pruned = filter.id ?? "";
          return real.prune(filter);
        },
        addRecords: (arrivals) =>
          real.addRecords(
            arrivals.map((each) => (each.conversation === pruned ? { ...each, conversation: `${pruned}2` } : each)),
          ),
      };
    },
  },
};

export const revisionsMutants: MutantsOf<typeof revisions> = {
  "a destination gets a conversation again when it has changed, and each time the number is one higher": {
    "nothing is delivered again": neverChanged,
    "it is always the second time": (real) => ({
      delivered: async (...values) =>
        new Map(
          [...(await real.delivered(...values))].map(([item, { changed: change }]) => [
            item,
            change ? { changed: { ...change, number: 2 } } : {},
          ]),
        ),
    }),
    "all that is delivered counts as changed": (real) => ({
      delivered: async (...values) =>
        new Map([...(await real.delivered(...values))].map(([item]) => [item, { changed: { number: 2, before: "" } }])),
    }),
  },
  "what a destination has is told by the digest of the transcript before the first change since then": {
    "there is no digest": (real) => ({
      delivered: async (...values) =>
        new Map(
          [...(await real.delivered(...values))].map(([item, { changed: change }]) => [
            item,
            change ? { changed: { ...change, before: "" } } : {},
          ]),
        ),
    }),
  },
  "a part that never appeared is no delivery": { "withdraw does nothing": () => ({ withdraw: async () => undefined }) },
  "a call whose document is replaced by other bytes has changed; by the same bytes it has not": {
    "nothing is delivered again": neverChanged,
  },
};
