import type { StoredConversation } from "../core/records.ts";
import type { Transcript } from "../core/transcript.ts";
import { Join } from "./join.ts";
import { provenanceOf, spanOf } from "./many-records.ts";
import { contentsOf } from "./utterances.ts";
import { instant } from "./values.ts";

/**
The transcript of the typed chat of a session: a turn for each of its dialogues, by time.

Source: the vendor's page of ListAIAgentDialogues.

@throws InvalidDocument with code `NotARecord`
*/
export const dialoguesTranscript = (conversation: StoredConversation): Transcript => {
  const { id, agentId, startedAt } = conversation;
  const { listed, records } = contentsOf(conversation);
  const join = new Join(undefined, instant(startedAt));
  join.addDialogues(listed);
  const end = listed.findLast(({ ms }) => ms !== undefined)?.ms;
  return {
    id: id.toWellFormed(),
    source: "dialogues",
    ...(agentId !== undefined && { agentId: agentId.toWellFormed() }),
    sessionId: id.toWellFormed(),
    ...spanOf(conversation, end),
    participants: {},
    turns: join.turns(),
    provenance: provenanceOf({ records: records.map(({ facts }) => facts) }),
  };
};
