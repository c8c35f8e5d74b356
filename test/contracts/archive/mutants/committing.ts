import { isStandIn } from "../../../../src/core/stand-in.ts";
import { wellFormed } from "../../../../src/core/text.ts";
import type { JsonObject } from "../../../../src/core/transcript.ts";
import { Broken } from "../../mutants.ts";
import type { committing } from "../committing.ts";

import { collect, documentOf, textOf } from "../contract.ts";

import type { merging } from "../merging.ts";
import type { sameId } from "../same-id.ts";
import { changingFound, changingOutcomes, type MutantsOf, type Mutate } from "./mutant.ts";

const withoutId: Mutate = changingOutcomes(({ instanceId: _, ...outcome }) => outcome);

/** Keeps the first good document of an item for ever. */
const neverReplacing: Mutate = (real) => {
  const stored = new Set<number>();
  return {
    commit: (outcomes) => {
      const kept = outcomes.filter(({ item, state }) => !(state === "fetched" && stored.has(item)));
      for (const { item, state } of kept) if (state === "fetched") stored.add(item);
      return real.commit(kept);
    },
  };
};

export const committingMutants: MutantsOf<typeof committing> = {
  "a committed document is there for other connections and after closing, byte for byte": {
    "documents end at a NUL": changingOutcomes((outcome) =>
      outcome.document
        ? {
            ...outcome,
            document: {
              ...outcome.document,
              bytes: outcome.document.bytes.subarray(0, outcome.document.bytes.indexOf(0)),
            },
          }
        : outcome,
    ),
    "a commit is written when the archive is closed": (real) => {
      const waiting: Parameters<typeof real.commit>[0][] = [];
      return {
        commit: async (outcomes) => {
          waiting.push(outcomes);
          return [];
        },
        close: async () => {
          for (const outcomes of waiting) await real.commit(outcomes);
          await real.close();
        },
      };
    },
  },
  "any bytes come back as they were, also many and none": {
    "documents are texts": changingOutcomes((outcome) => ({
      ...outcome,
      ...(outcome.document && {
        document: { ...outcome.document, bytes: Buffer.from(Buffer.from(outcome.document.bytes).toString()) },
      }),
    })),
  },
  "all outcomes of a commit are stored, in whatever order": {
    "commit drops the last outcome": (real) => ({ commit: (outcomes) => real.commit(outcomes.slice(0, -1)) }),
  },
  "all outcomes of a commit are stored, or none": {
    "commit stores what it can": (real) => ({
      commit: async (outcomes) => {
        for (const outcome of outcomes) await real.commit([outcome]);
        return [];
      },
    }),
  },
  "a batch is committed as its outcomes would be one by one": {
    "a batch forgets ids": (real) => ({
      commit: (outcomes) =>
        real.commit(outcomes.length > 1 ? outcomes.map(({ instanceId: _, ...outcome }) => outcome) : outcomes),
    }),
  },
  "a failure never replaces a good document; another good document does": {
    "an invalid document replaces a good one": changingOutcomes((outcome) => ({ ...outcome, state: "fetched" })),
    "a good document is never replaced": neverReplacing,
  },
  "an error is kept with code, status, request id and time, and gone after success": {
    "the request id is lost": changingOutcomes(({ error, ...outcome }) => ({
      ...outcome,
      ...(error && { error: { code: error.code, message: error.message } }),
    })),
    "an error stays after success": (real) => {
      let error: Awaited<ReturnType<typeof real.find>>;
      return {
        find: async (id) => {
          const found = await real.find(id);
          if (found?.error) error = found;
          return found && { ...error, ...found };
        },
      };
    },
  },
  "an invalid document keeps its bytes, and a failure keeps it": {
    "invalid documents are not stored": changingOutcomes(({ document, ...outcome }) => ({
      ...outcome,
      ...(document && outcome.state === "fetched" && { document }),
    })),
    "a failure replaces it": changingOutcomes((outcome) =>
      outcome.state === "failed" ? { ...outcome, state: "invalid" } : outcome,
    ),
  },
  "metadata is kept as it is; fields that a later answer lacks stay": {
    "the last answer is the metadata": (real) => {
      let meta: JsonObject | undefined;
      return {
        commit: (outcomes) => {
          meta = outcomes[0]?.meta ?? meta;
          return real.commit(outcomes);
        },
        find: async (id) => {
          const found = await real.find(id);
          return found && { ...found, ...(meta && { meta }) };
        },
      };
    },
    "metadata is made well-formed": changingOutcomes((outcome) => ({
      ...outcome,
      ...(outcome.meta && { meta: wellFormed(outcome.meta) as JsonObject }),
    })),
  },
  "texts of the service come back as they were, but for lone surrogates": {
    "texts end at a NUL": changingFound((record) => ({ ...record, status: record.status?.split("\0")[0] ?? "" })),
    "links are percent-encoded": changingFound((record) => ({ ...record, link: encodeURI(record.link ?? "") })),
  },
  "a start may be before 1970 or in the year 9999; one that is no time is unknown": {
    "a start before 1970 is unknown": changingOutcomes(({ startedAt, ...outcome }) => ({
      ...outcome,
      ...(startedAt !== undefined && Date.parse(startedAt) >= 0 && { startedAt }),
    })),
  },
  "the number of an item that was united with another still means the call": {
    "the number is unknown": (real) => ({
      commit: async (outcomes) => {
        const items = new Set((await collect(real.list({}))).map(({ item }) => item));
        if (outcomes.some(({ item }) => !items.has(item))) throw new Broken("There is no such item.");
        return real.commit(outcomes);
      },
    }),
  },
};

export const mergingMutants: MutantsOf<typeof merging> = {
  "a listed call that is already known is merged into the known item": { "it stays an item of its own": withoutId },
  "two links of one call are one item": { "they are two items": withoutId },
  "a call without an id has a stand-in id made of its link": {
    "stand-in ids are made of something else": (real) => ({
      async *conversations() {
        for await (const batch of real.conversations())
          yield batch.map((record) => ({ ...record, id: `link-${"0".repeat(32)}` }));
      },
    }),
  },
  "a pruned call stays pruned, also when it is listed with another link": {
    "it is selected as new": (real) => ({
      select: async (refs) =>
        (await real.select(refs)).map((chosen) => ({
          ...chosen,
          state: chosen.state === "pruned" ? "pending" : chosen.state,
        })),
    }),
    "nothing is pruned": () => ({ prune: async () => 1 }),
  },
};

/** Each log is shorter than the one that came before it. */
const byArrival: Mutate = (real) => {
  let arrived = 0;
  return {
    commit: (outcomes) =>
      real.commit(
        outcomes.map((outcome) => {
          arrived += 1;
          return { ...outcome, document: documentOf(`${textOf(outcome)}${" ".repeat(99 - arrived)}`) };
        }),
      ),
  };
};

export const sameIdMutants: MutantsOf<typeof sameId> = {
  "that differ are all kept: one has the id, the others are invalid, in any order of arrival": {
    "the one that came first has the id": byArrival,
    "the other one is not told": (real) => ({
      commit: async (outcomes) => {
        await real.commit(outcomes);
        return [];
      },
    }),
  },
  "give the same archive for any order, batches, runs and kind of request": {
    "the one that came first has the id": byArrival,
  },
  "are decided again when the document at one of their links has changed": { "documents stay": neverReplacing },
  "are deleted together by the id that they share, with or without its source, but not by that of a chat session": {
    "only with the bare id": (real) => ({
      prune: async (filter) => (filter.id?.includes(":") ? 1 : real.prune(filter)),
    }),
    "the source does not matter": (real) => ({
      prune: async ({ id = "", sources }) => real.prune({ id: sources?.includes("chats") ? `calls:${id}` : id }),
    }),
  },
  "without links are found by the ids that commit tells": {
    "a stand-in id that is of no link is not found": (real) => ({
      find: async (id) => (isStandIn(id) ? undefined : real.find(id)),
    }),
  },
  "requested by id at another link do not replace each other": {
    "the link of a document does not count": changingOutcomes(({ link: _, ...outcome }) => outcome),
  },
};
