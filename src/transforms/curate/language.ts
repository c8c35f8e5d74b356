import type { Message, Sample } from "../../core/sample.ts";

/** From this share on, a dialog has one language; if neither language reaches it, it is mixed. */
export const PURE = 0.8;
/** From this share of units in other scripts on, the language is `other`. */
export const FOREIGN = 0.5;
/** From this share of kana in kana and Han on, the Han characters count as Japanese. */
export const KANA = 0.05;

/**
The language of a dialog by script: of what the user and the agent say, not of the system turn and tool results.

A Han character counts as one unit, and so does a whole Latin word, because each is about one word of speech: "我要 reset
密码" is Chinese with one English word, though half of its letters are Latin. Digits and punctuation do not count.

- `other`: no letters, or at least half of the units are in another script, such as kana, Hangul or Cyrillic.
- `zh`, `en`: at least 80% of the Han and Latin units are in that script.
- `mixed`: everything else.

Languages of one script are not distinguished: French counts as `en`, Cantonese as `zh`. Language detectors are often
wrong about turns as short as those of a call.
*/
export const languageOf = (messages: readonly Message[]): Sample["language"] => {
  const units = { han: 0, latin: 0, kana: 0, other: 0 };
  for (const { role, content } of messages) if (role === "user" || role === "assistant") count(content, units);
  const { latin, kana } = units;
  const isJapanese = kana > 0 && kana / (kana + units.han) >= KANA;
  const han = isJapanese ? 0 : units.han;
  const other = units.other + kana + (isJapanese ? units.han : 0);
  if (han + latin === 0 || other / (han + latin + other) >= FOREIGN) return "other";
  if (han / (han + latin) >= PURE) return "zh";
  return latin / (han + latin) >= PURE ? "en" : "mixed";
};

interface Units {
  han: number;
  /** Words, not letters. */
  latin: number;
  kana: number;
  other: number;
}

const count = (text: string, units: Units): void => {
  let isInWord = false;
  for (const character of text) {
    const script = scriptOf(character.codePointAt(0) ?? 0, character);
    if (script === "latin") {
      if (!isInWord) units.latin += 1;
      isInWord = true;
      continue;
    }
    // An apostrophe or a combining mark does not end a word.
    isInWord &&= script === "none" && /['’\p{M}]/u.test(character);
    if (script !== "none") units[script] += 1;
  }
};

type Script = keyof Units | "none";

/** Compares code points, because a regular expression per character is ten times slower. */
const scriptOf = (code: number, character: string): Script => {
  if (code < 0x80) return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a ? "latin" : "none";
  if (code >= 0x4e00 && code <= 0x9fff) return "han";
  if (code >= 0x3041 && code <= 0x30ff) return code === 0x30fb ? "none" : "kana";
  if (code >= 0x3000 && code <= 0x303f) return code === 0x3005 || code === 0x3007 ? "han" : "none";
  if ((code >= 0x3400 && code <= 0x4dbf) || (code >= 0xf900 && code <= 0xfaff)) return "han";
  if (code >= 0x20000 && code <= 0x3ffff) return "han";
  if (!/\p{L}/u.test(character)) return "none";
  if (code <= 0x24f || (code >= 0x1e00 && code <= 0x1eff) || (code >= 0xff21 && code <= 0xff5a)) return "latin";
  return "other";
};
