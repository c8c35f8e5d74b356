import type { Arrival } from "../../../../src/core/records.ts";
import type { callRecords } from "../call-records.ts";
import type { media } from "../media.ts";
import { changed, changingOutcomes, type MutantsOf, type Mutate } from "./mutant.ts";

const changingRecords =
  (change: (record: Arrival["record"]) => Arrival["record"]): Mutate =>
  (real) => ({
    addRecords: (arrivals, options) =>
      real.addRecords(
        arrivals.map((arrival) => ({ ...arrival, record: change(arrival.record) })),
        options,
      ),
  });

const neverInCall = changingRecords(({ inCall: _, ...record }) => record);
const logsCount: Mutate = (real) => ({ counts: () => real.counts({ logs: true }) });

export const callRecordsMutants: MutantsOf<typeof callRecords> = {
  "without a call log make a conversation that is settled by the time of its last record": {
    "letter case makes two calls": (real) => ({
      addRecords: (arrivals) =>
        real.addRecords(arrivals.map((each) => ({ ...each, conversation: `${each.conversation}${each.record.id}` }))),
    }),
    "only the log counts": logsCount,
    "the log does not count": (real) => ({ counts: () => real.counts() }),
    "what is open is left out": (real) => ({ unsettled: (options) => changed(real.unsettled(options), () => []) }),
    "what has no log is left out": (real) => ({ conversations: () => changed(real.conversations(), () => []) }),
  },
  "are with the log, whichever came first, and the log's start counts": {
    "the log is another conversation": changingOutcomes(({ instanceId: _, ...outcome }) => outcome),
    "records without a time": changingRecords(({ at: _, ...record }) => record),
  },
  "of a call whose log is missing are its transcript, and the log is reported all the same": {
    "a call without a log has no transcript": logsCount,
    "only what is shown is reported": (real) => ({ trouble: () => real.trouble() }),
    "everything is reported": (real) => ({ trouble: () => real.trouble({ logs: true }) }),
    "the log is not named": (real) => ({ unsettled: () => real.unsettled() }),
  },
  "tell what is at risk: call logs that are not there, with the oldest": {
    "nothing is at risk": () => ({ atRisk: async () => [] }),
    "the age is left out": (real) => ({
      atRisk: async () => (await real.atRisk()).map(({ oldest: _, ...rest }) => rest),
    }),
  },
  "are deleted with their call, and dropped when they come again": {
    "nothing is deleted": () => ({ prune: async () => 1 }),
  },
  "that are dialogues belong to the call of their session that was running, whichever came first": {
    "they stay with their session": neverInCall,
    "sessions are never read": () => ({ indexSessions: async () => undefined }),
    "typed messages belong to calls, too": changingRecords((record) => ({ ...record, inCall: true })),
  },
  "that are dialogues find calls that were stored before any of them, and move when a call is described": {
    "sessions are never read": () => ({ indexSessions: async () => undefined }),
    "what describe says is not kept": changingOutcomes(({ meta: _, ...outcome }) => outcome),
  },
  "that are dialogues: it is kept when their session was listed, and never set back": {
    "nothing is kept": () => ({ sessionListedAt: async () => undefined }),
    "every session is the same": (real) => ({
      setSessionListed: (_, at) => real.setSessionListed("s", at),
    }),
  },
  "that are dialogues of a deleted call are dropped, also when it was deleted before the first of them": {
    "nothing is deleted": () => ({ prune: async () => 1 }),
    "they stay with their session": neverInCall,
  },
};

export const mediaMutants: MutantsOf<typeof media> = {
  "that records name wait until they are stored, and are with their conversation": {
    "nothing is noted": changingRecords(({ media: _, ...record }) => record),
    "a failure takes back what was stored": (real) => ({
      commitMedia: async (outcomes) => real.commitMedia(outcomes.filter(({ state }) => state !== "stored")),
    }),
    "the filter is ignored": (real) => ({ listMedia: () => real.listMedia() }),
    "nothing is summed up": () => ({ mediaSummary: async () => [] }),
  },
  "that no record names are found by place; what was not known of them is added": {
    "nothing is new": (real) => ({
      addMedia: async (files) => {
        await real.addMedia(files);
        return 0;
      },
    }),
    "the call is not noted": (real) => ({
      addMedia: (files) => real.addMedia(files.map(({ item: _, ...file }) => file)),
    }),
  },
  "are deleted with their conversation; only bytes that no other one has are to be deleted": {
    "no file is to be deleted": () => ({ discardedMedia: async () => [] }),
    "they are to be deleted for ever": () => ({ forgetDiscarded: async () => undefined }),
    "nothing is deleted": () => ({ prune: async () => 1 }),
  },
  "of deleted calls are not stored again, whether they were known before or are found by the call's channel": {
    "nothing is deleted": () => ({ prune: async () => 1 }),
    "channels are forgotten, too": () => ({ forgottenCalls: async () => [] }),
    "every channel is that of a deleted call": (real) => ({ forgottenCalls: () => real.forgottenCalls(["room"]) }),
    "the call is not noted": (real) => ({
      addMedia: (files) => real.addMedia(files.map(({ item: _, ...file }) => file)),
    }),
  },
};
