import { changeWithin } from "../../core/json-text.ts";
import { isObject, type Json, type ToolCall, type Transcript, type Turn } from "../../core/transcript.ts";

type Change = (text: string) => string;

/** The functions that change each kind of text; turns come with their index. */
export interface Changes {
  text: Change;
  turn: (text: string, index: number) => string;
  /** For the telephone numbers of caller and callee. */
  party: Change;
}

/**
Changes every text that people wrote or said: caller and callee, the system prompt, turns with reasoning and tool
arguments, and all strings and keys of `userData`, `data` and `extra`.

Ids, times, states, links, paths of media and JSON numbers stay; a user's id changes only if it is a telephone number.
*/
export const changeTexts = (transcript: Transcript, { text, turn, party }: Changes): Transcript => {
  const { participants, system, turns, userData, extra } = transcript;
  const { caller, callee, agentUserId, remoteUserId } = participants;
  return {
    ...transcript,
    participants: {
      ...participants,
      ...(caller === undefined ? {} : { caller: party(caller) }),
      ...(callee === undefined ? {} : { callee: party(callee) }),
      // In a phone call, the user's id is the phone number.
      ...(isNumber(agentUserId) && { agentUserId: party(agentUserId) }),
      ...(isNumber(remoteUserId) && { remoteUserId: party(remoteUserId) }),
    },
    ...(system === undefined ? {} : { system: changeWithin(system, text) }),
    turns: turns.map((one, index) => ofTurn(one, text, (words) => turn(words, index))),
    ...(userData === undefined ? {} : { userData: deep(userData, text) }),
    ...(extra === undefined ? {} : { extra: deepObject(extra, text) }),
  };
};

/** Every text that `changeTexts` would change, once. */
export const textsIn = (transcript: Transcript): Set<string> => {
  const texts = new Set<string>();
  const note: Change = (text) => {
    if (text.trim() !== "") texts.add(text);
    return text;
  };
  changeTexts(transcript, { text: note, turn: note, party: (text) => text });
  return texts;
};

const isNumber = (id: string | undefined): id is string => id !== undefined && /^\+?\d{10,15}$/.test(id);

const ofTurn = (turn: Turn, text: Change, turnText: Change): Turn => ({
  ...turn,
  text: changeWithin(turn.text, text, turnText),
  ...(turn.reasoning === undefined ? {} : { reasoning: changeWithin(turn.reasoning, text) }),
  ...(turn.toolCalls === undefined ? {} : { toolCalls: turn.toolCalls.map((call) => ofCall(call, text)) }),
  ...(turn.data === undefined ? {} : { data: deep(turn.data, text) }),
  ...(turn.extra === undefined ? {} : { extra: deepObject(turn.extra, text) }),
});

const ofCall = (call: ToolCall, text: Change): ToolCall => ({ ...call, arguments: changeWithin(call.arguments, text) });

const deep = (value: Json, text: Change): Json => {
  if (typeof value === "string") return changeWithin(value, text);
  if (Array.isArray(value)) return value.map((item) => deep(item, text));
  return isObject(value) ? deepObject(value, text) : value;
};

/** If two keys become equal, the later one stays. */
const deepObject = (value: { [key: string]: Json }, text: Change): { [key: string]: Json } =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [text(key), deep(item, text)]));
