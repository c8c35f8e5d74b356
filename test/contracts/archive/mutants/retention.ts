import type { StoredFilter } from "../../../../src/core/records.ts";
import { collect } from "../contract.ts";
import type { facts } from "../facts.ts";
import type { retention } from "../retention.ts";
import { changingFound, type MutantsOf, type Mutate, without } from "./mutant.ts";

/** A prune that ignores a condition. */
const pruning =
  (condition: keyof StoredFilter): Mutate =>
  (real) => ({ prune: (filter) => real.prune(without(filter, condition)) });

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
