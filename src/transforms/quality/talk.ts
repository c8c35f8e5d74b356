import { INTERRUPTED, type Transcript } from "../../core/transcript.ts";

/** A turn with words. */
export interface Spoken {
  by: "user" | "agent";
  /** What the other side heard: without what follows an interruption. */
  text: string;
}

/** What was said in a conversation, in order: no tool results, no system turns, no turns without words. */
export const spokenIn = ({ turns }: Pick<Transcript, "turns">): Spoken[] =>
  turns.flatMap(({ role, text }): Spoken[] => {
    if (role !== "user" && role !== "agent") return [];
    const [heard = ""] = text.split(INTERRUPTED, 1);
    return heard.trim() === "" ? [] : [{ by: role === "user" ? "user" : "agent", text: heard.trim() }];
  });

export const textsOf = (spoken: readonly Spoken[], who: Spoken["by"]): string[] =>
  spoken.flatMap(({ by, text }) => (by === who ? [text] : []));

// A Chinese character is a word here; Thai and Japanese are treated alike, because they write no spaces either. Digits
// that follow each other are one word, however they are grouped.
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|\p{N}(?:[\p{N}\s.,:-]*\p{N})?|[\p{L}\p{M}][\p{L}\p{M}'’]*/gu;

/** Words in lower case, without punctuation: of Chinese its characters. */
export const wordsOf = (text: string): string[] => text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
