import { InvalidDocument } from "../core/errors.ts";
import type { StoredConversation } from "../core/records.ts";
import type { Participants, Transcript } from "../core/transcript.ts";
import { eventFields, recordedFacts } from "./call-events.ts";
import { type CallRecord, callTranscript } from "./call-log.ts";
import { callFacts } from "./call-meta.ts";
import { Join } from "./join.ts";
import { provenanceOf } from "./many-records.ts";
import { contentsOf } from "./utterances.ts";
import { instant, iso } from "./values.ts";

type Recorded = StoredConversation & Pick<CallRecord, "document">;

/**
The transcript of a call of which callbacks or dialogues are stored, with or without its log.

The log's turns and order stand. What the records tell of a turn is added to it, and what they tell besides becomes turns,
named by the record's source. Without a log all turns are theirs.

@throws InvalidDocument with code `NotARecord`
*/
export const recordedCallTranscript = (conversation: Recorded): Transcript => {
  const contents = contentsOf(conversation);
  const recorded = recordedFacts(contents);
  // Where there is no log, the records stand in its place.
  const log = logOf(conversation);
  const known = log ?? withoutLog(conversation);
  const start = instant(known.startedAt ?? conversation.startedAt) ?? recorded.start ?? firstTime(contents.records);

  const join = new Join(log?.turns, start);
  join.addDialogues(contents.listed);
  join.addDialogues(contents.recorded);
  const extra = { ...eventFields(contents.events, join.addSentences(contents.sentences)), ...known.extra };

  const agentId = known.agentId ?? recorded.agentId;
  const sessionId = known.sessionId ?? recorded.sessionId;
  const userData = known.userData ?? recorded.userData;
  const end = instant(known.endedAt) ?? recorded.end;
  const startedAt = start === undefined ? undefined : iso(start);
  const endedAt = end === undefined ? undefined : iso(end);
  const elapsed = start === undefined || end === undefined || end < start ? undefined : (end - start) / 1000;
  const durationSeconds = known.durationSeconds ?? elapsed;
  return {
    id: known.id,
    source: "calls",
    ...(agentId !== undefined && { agentId }),
    ...(sessionId !== undefined && { sessionId }),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(durationSeconds !== undefined && { durationSeconds }),
    ...(known.status !== undefined && { status: known.status }),
    participants: people(known.participants, recorded.participants),
    ...(known.system !== undefined && { system: known.system }),
    ...(known.language !== undefined && { language: known.language }),
    ...(userData !== undefined && { userData }),
    turns: join.turns(),
    provenance: {
      records: [
        ...known.provenance.records,
        ...provenanceOf({ records: contents.records.map(({ facts }) => facts) }).records,
      ],
    },
    ...(Object.keys(extra).length > 0 && { extra }),
  };
};

/** @param recorded numbers of a phone call, used where the service gives none */
const people = (known: Participants, recorded: Participants): Participants => {
  const { caller = recorded.caller, callee = recorded.callee, ...users } = known;
  return { ...users, ...(caller !== undefined && { caller }), ...(callee !== undefined && { callee }) };
};

/** The transcript of the log alone. A log that cannot be read is as none: the archive reports it. */
const logOf = (conversation: Recorded): Transcript | undefined => {
  if (conversation.document.bytes === conversation.further) return undefined;
  try {
    return callTranscript(conversation);
  } catch (error) {
    if (error instanceof InvalidDocument) return undefined;
    throw error;
  }
};

/** What the service says about a call, as far as it is known without its log. */
const withoutLog = ({ id, agentId, status, meta }: Recorded): Transcript => {
  const facts = callFacts(meta);
  const state = status?.toWellFormed() ?? facts.status;
  const { sessionId, start, end, duration, agentUserId, caller, callee, system, language, userData } = facts;
  const startedAt = start === undefined ? undefined : iso(start);
  const endedAt = end === undefined ? undefined : iso(end);
  return {
    id: id.toWellFormed(),
    source: "calls",
    ...(agentId !== undefined && { agentId: agentId.toWellFormed() }),
    ...(sessionId !== undefined && { sessionId }),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(duration !== undefined && { durationSeconds: duration }),
    ...(state !== undefined && { status: state }),
    participants: {
      ...(agentUserId !== undefined && { agentUserId }),
      ...(caller !== undefined && { caller }),
      ...(callee !== undefined && { callee }),
    },
    ...(system !== undefined && { system }),
    ...(language !== undefined && { language }),
    ...(userData !== undefined && { userData }),
    turns: [],
    provenance: { records: [] },
  };
};

/** Records are by time. */
const firstTime = (records: ReturnType<typeof contentsOf>["records"]): number | undefined =>
  instant(records[0]?.facts.at);
