import type { Turn } from "../../core/transcript.ts";
import type { Spoken } from "./talk.ts";
import { textsOf } from "./talk.ts";

const HUMAN = "(?:人工|真人|专员|专人|客服|坐席|座席|顾问|同事|值班)";
const PERSON =
  "(?:human|agents?|person|representatives?|operators?|colleagues?|specialists?|supervisors?|managers?|someone|team)";

/** The agent says that it hands over now. */
const HANDS_OVER = [
  new RegExp(
    `(?:为|给|帮|将|把|替)[您你]?(?:的?(?:电话|来电|通话))?(?:直接|马上|立即|现在)?转(?:接|到|至|给|入)?[^，。！？,.!?]{0,8}${HUMAN}`,
    "u",
  ),
  new RegExp(
    `(?:正在|马上|立即|这就|现在|即将)(?:为您|帮您|给您)?转(?:接|到|至|给|入)?[^，。！？,.!?]{0,8}${HUMAN}?`,
    "u",
  ),
  new RegExp(
    `\\b(?:transfer(?:ring)?|connect(?:ing)?|put(?:ting)?|hand(?:ing)?|pass(?:ing)?) (?:you|this call|your call|the call)(?: \\w+){0,4} (?:to|with|through|over)\\b(?: [\\w']+){0,4} ${PERSON}\\b`,
    "iu",
  ),
];
/** An offer, a condition or a refusal hands nothing over. */
const NOT_NOW =
  /不能|无法|不可以|没法|没办法|不会|不用|暂时没有|如果|如需|若需|需要的话|是否|要不要|可以吗|好吗|吗[？?]?$|需要.{0,12}吗|\b(?:can(?:not|['’]t)|unable|won['’]t|not able|if you|would you like|do you want|shall i|should i|may i)\b/iu;
const TOOL =
  /(?:transfer|hand_?-?(?:off|over)|escalat\w*|forward).{0,12}(?:human|agent|operator|representative|staff)|human_?-?(?:takeover|agent|handoff)|转人工/iu;

const sentencesOf = (text: string): string[] => text.split(/(?<=[。！？!?；;]|\.(?=\s))/u);

/**
How many agent turns before the end the call is handed to a person: 1 for the last one; undefined when it is not.

The agent says so, or calls a tool whose name says so.
*/
export const transferFromEnd = (spoken: readonly Spoken[], turns: readonly Turn[]): number | undefined => {
  const said = textsOf(spoken, "agent");
  const last = said.findLastIndex((text) => sentencesOf(text).some(isTransfer));
  if (last >= 0) return said.length - last;
  const called = turns.findLastIndex(({ toolCalls = [] }) => toolCalls.some(({ name }) => TOOL.test(name)));
  if (called < 0) return undefined;
  return Math.max(1, turns.slice(called).filter(({ role, text }) => role === "agent" && text.trim() !== "").length);
};

const isTransfer = (sentence: string): boolean =>
  HANDS_OVER.some((pattern) => pattern.test(sentence)) && !NOT_NOW.test(sentence.trim());
