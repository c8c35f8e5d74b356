import type { SplitUnit } from "../core/sample.ts";
import type { Participants, Transcript } from "../core/transcript.ts";

/** The part of a transcript that its split can follow from; the participants as the source has them, not redacted. */
export type SplitSubject = Pick<Transcript, "id" | "agentId" | "sessionId" | "participants">;

/**
The text whose hash decides about the split. Conversations without the person, agent or session go by their own id.

A conversation's own id is used as it is, so that data sets of older versions keep their splits.
*/
export const splitKey = ({ id, agentId, sessionId, participants }: SplitSubject, by: SplitUnit): string => {
  const group = { conversation: undefined, caller: personIn(participants), agent: agentId, session: sessionId }[by];
  return group === undefined || group === "" ? id : `${by}:${group}`;
};

const MOBILE = /^1[3-9]\d{9}$/;

/**
The person who speaks with the agent.

A remote user's id that is a mobile number is that person's. Otherwise one of the two numbers of a telephone call is, and in a
call from the agent not the caller's: it is the one that is also the remote user's id, else the only mobile number, else the
caller's. Without numbers, it is the remote user's id.
*/
export const personIn = ({ remoteUserId, caller, callee }: Participants): string | undefined => {
  const user = remoteUserId === undefined || remoteUserId === "" ? undefined : phoneOf(remoteUserId);
  if (user !== undefined && MOBILE.test(user)) return user;
  const numbers = [caller, callee].flatMap((text) => (text === undefined || text === "" ? [] : [phoneOf(text)]));
  if (numbers.length === 0) return user;
  const same = numbers.find((number) => number === user);
  const mobiles = numbers.filter((number) => MOBILE.test(number));
  return same ?? (mobiles.length === 1 ? mobiles[0] : numbers[0]);
};

/** A telephone number without signs and China's country code; other ids as they are. */
const phoneOf = (text: string): string => {
  if (!/^[+\d][\d\s().-]*$/.test(text)) return text;
  const digits = text.replace(/\D/g, "");
  return digits.replace(/^(?:00)?86(?=1[3-9]\d{9}$)/, "");
};
