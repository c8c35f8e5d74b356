import type { Message } from "../../core/sample.ts";

/**
Merges consecutive messages of one speaker; returns the same list if there are none.

Tool results are not merged, because each answers its own call. If one of the messages must not be learned, the merged
message must not be learned.
*/
export const mergeSpeakers = (messages: Message[]): Message[] => {
  const runs: [Message, ...Message[]][] = [];
  for (const message of messages) {
    const run = runs.at(-1);
    if (run !== undefined && message.role !== "tool" && run[0].role === message.role) run.push(message);
    else runs.push([message]);
  }
  return runs.length === messages.length ? messages : runs.map((run) => (run.length === 1 ? run[0] : merged(run)));
};

const merged = (run: [Message, ...Message[]]): Message => {
  const reasoning = run.flatMap(({ reasoning }) => reasoning ?? []);
  const toolCalls = run.flatMap(({ toolCalls }) => toolCalls ?? []);
  const turns = run.flatMap(({ turns }) => turns ?? []);
  return {
    role: run[0].role,
    content: joinParts(run.map(({ content }) => content)),
    ...(run.some(({ learn }) => learn === false) && { learn: false }),
    ...(run.some(({ whole }) => whole !== undefined) && { whole: joinParts(run.map(wholeOf)) }),
    ...(reasoning.length > 0 && { reasoning: reasoning.join("\n") }),
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(turns.length > 0 && { turns }),
  };
};

const joinParts = (texts: string[]): string => joinTexts(texts.filter((text) => text !== ""));

/** What can be learned of a message without learning half an answer. */
export const wholeOf = ({ content, whole = content }: Message): string => whole;

/**
Joins texts of one speaker: Chinese ones with a comma if there is no punctuation between them, Japanese ones without
anything, others with a space.
*/
export const joinTexts = (texts: string[]): string =>
  texts
    .map((text, index) => {
      const before = texts[index - 1];
      const start = before === undefined ? text : seam(before.trimEnd(), text.trimStart()) + text.trimStart();
      return index === texts.length - 1 ? start : start.trimEnd();
    })
    .join("");

// Korean puts spaces between words, so Hangul is not among them.
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\u3000-\u303f\uff00-\uffef]/u;
/** Quotes, dashes and ellipses of both Chinese and English: they count as Chinese beside a Chinese character. */
const SHARED = /[“”‘’…—·]/u;

const HAN = /\p{Script=Han}/u;

const seam = (head: string, tail: string): "" | " " | "，" => {
  // Two code units contain the whole character, even if it is a surrogate pair.
  const last = [...head.slice(-2)].at(-1) ?? "";
  const first = [...tail.slice(0, 2)].at(0) ?? "";
  if (HAN.test(last) && HAN.test(first)) return "，";
  const wide = [last, first].filter((character) => WIDE.test(character)).length;
  return wide === 2 || (wide === 1 && (SHARED.test(last) || SHARED.test(first))) ? "" : " ";
};
