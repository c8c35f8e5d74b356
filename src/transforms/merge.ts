import type { Message } from "../core/transcript.ts";

/** Nothing but whitespace. */
export const blank = (text: string): boolean => text.trim() === "";

/** One message where the same speaker has several in a row; the very list it was given when nobody has. */
export const mergeSpeakers = (messages: Message[]): Message[] => {
  const runs: { role: Message["role"]; contents: string[] }[] = [];
  for (const { role, content } of messages) {
    const last = runs.at(-1);
    if (last?.role === role) last.contents.push(content);
    else runs.push({ role, contents: [content] });
  }
  if (runs.length === messages.length) return messages;
  return runs.map(({ role, contents }) => ({ role, content: joinTexts(contents) }));
};

/** Texts of one speaker: nothing between Chinese or Japanese characters, one space otherwise. */
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
/** Quotes, dashes and ellipses that Chinese shares with English: they count with a Chinese character at their side. */
const SHARED = /[“”‘’…—·]/u;

const seam = (head: string, tail: string): "" | " " => {
  // Two code units hold the last character also where it is a surrogate pair.
  const last = [...head.slice(-2)].at(-1) ?? "";
  const first = [...tail.slice(0, 2)].at(0) ?? "";
  const wide = [last, first].filter((character) => WIDE.test(character)).length;
  return wide === 2 || (wide === 1 && (SHARED.test(last) || SHARED.test(first))) ? "" : " ";
};
