import { isStandIn } from "../../../../src/core/stand-in.ts";
import { collect } from "../contract.ts";
import type { listing } from "../listing.ts";
import type { selecting } from "../selecting.ts";
import { changingOutcomes, changingRefs, type MutantsOf, without } from "./mutant.ts";

export const selectingMutants: MutantsOf<typeof selecting> = {
  "a call is selected once, whatever the case of its id, and begins as pending": {
    "ids that differ in case are two calls": changingRefs(({ instanceId = "", ...ref }) => ({
      ...ref,
      instanceId: /[A-Z]/.test(instanceId) ? Buffer.from(instanceId).toString("hex") : instanceId,
    })),
    "every call counts as added": (real) => ({
      select: async (refs) => (await real.select(refs)).map((chosen) => ({ ...chosen, added: true })),
    }),
  },
  "a batch is selected as its calls would be one by one": {
    "only the first call of a batch has its agent": changingRefs(({ agentId, ...ref }, at) => ({
      ...ref,
      ...(at === 0 && agentId !== undefined && { agentId }),
    })),
  },
  "ids that differ are different calls, come back as written, and are found as written": {
    "ids are normalized": changingRefs(({ instanceId = "", ...ref }) => ({
      ...ref,
      instanceId: instanceId.normalize("NFC"),
    })),
    "ids are trimmed to lines": changingRefs(({ instanceId = "", ...ref }) => ({
      ...ref,
      instanceId: instanceId.replace(/\n.*/s, ""),
    })),
    "an id is a pattern": (real) => ({ find: (id) => real.find(id.replace(/[%_]$/, "")) }),
  },
  "an id that is empty, or has a NUL or more than 1,024 bytes, is refused with its whole batch": {
    "long ids are cut": changingRefs((ref) => ({ ...ref, instanceId: ref.instanceId?.slice(0, 1024) ?? "" })),
    "ids end at a NUL": changingRefs((ref) => ({ ...ref, instanceId: ref.instanceId?.split("\0")[0] ?? "" })),
    "commit cuts ids": changingOutcomes((outcome) => ({
      ...outcome,
      instanceId: outcome.instanceId?.slice(0, 9) || "x",
    })),
  },
  "lone surrogates of an id count as U+FFFD": {
    "lone surrogates are escaped": changingRefs(({ instanceId = "" }) => ({
      instanceId: instanceId.isWellFormed() ? instanceId : JSON.stringify(instanceId),
    })),
  },
  "a call is known by its link until its id is known, and by its stand-in id always": {
    "a stand-in id is forgotten": (real) => ({
      find: async (id) => (isStandIn(id) ? undefined : real.find(id)),
    }),
    "a stand-in id is selected as an instance id": changingRefs(({ standIn, ...ref }) => ({
      ...ref,
      ...(standIn !== undefined && { instanceId: standIn }),
    })),
  },
  "an item says when it was first selected, its failed fetches and its last error": {
    "attempts are not counted": (real) => ({
      select: async (refs) => (await real.select(refs)).map((chosen) => ({ ...chosen, attempts: 0 })),
    }),
    "it was first selected now": (real) => ({
      select: async (refs) => (await real.select(refs)).map((chosen) => ({ ...chosen, seenAt: new Date() })),
    }),
  },
  "a selection counts its calls by state, and ends with its connection": {
    "all calls are counted": (real) => ({ counts: async () => (await real.summary()).counts }),
    "pending calls are not counted": (real) => ({ counts: async () => ({ ...(await real.counts()), pending: 0 }) }),
  },
  "stored calls are selected by agent, state, time, id and number, each once": {
    "the limit is ignored": (real) => ({ selectStored: (filter) => real.selectStored(without(filter, "limit")) }),
    "the state is ignored": (real) => ({ selectStored: (filter) => real.selectStored(without(filter, "states")) }),
    "calls that were selected before are counted": (real) => ({
      selectStored: async (filter) => {
        await real.selectStored(filter);
        return (await collect(real.list(filter))).length;
      },
    }),
  },
  "look() and settled() tell of calls without selecting or changing anything": {
    "look selects": (real) => ({ look: async (refs) => (await real.select(refs)).map(({ state }) => state) }),
    "only fetched calls are settled": (real) => ({
      settled: async (refs) => (await real.look(refs)).map((state) => state === "fetched"),
    }),
  },
};

export const listingMutants: MutantsOf<typeof listing> = {
  "a call without an id is listed again where it was listed last": {
    "the first window stays": (real) => ({
      select: async (refs) => {
        const known = await real.look(refs);
        return real.select(refs.map(({ window, ...ref }, at) => ({ ...ref, ...(!known[at] && window && { window }) })));
      },
    }),
    "a stored call has no listing": (real) => ({
      listing: async (item) =>
        (await collect(real.list({ states: ["fetched"] }))).some((record) => record.item === item)
          ? undefined
          : real.listing(item),
    }),
  },
  "a window is unsettled while it has a call that may still change": {
    "pending calls do not count": (real) => ({
      unsettledWindows: async (agentId, since) => (await real.unsettledWindows(agentId, since)).slice(0, -1),
    }),
    "the agent is part of a query": (real) => ({
      unsettledWindows: (agentId, since) => real.unsettledWindows(agentId.includes("1=1") ? "agent" : agentId, since),
    }),
  },
  "items that were first seen too early, or were acknowledged, no longer hold back a cursor": {
    "early items hold it back": (real) => ({
      unsettledWindows: (agentId) => real.unsettledWindows(agentId, new Date(0)),
    }),
    "acknowledged items hold it back": () => ({ acknowledge: async () => undefined }),
  },
};
