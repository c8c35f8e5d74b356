import type { Random } from "./random.ts";
import type { Language } from "./scenario.ts";

const TAG = "<ims_agent_interrupted>";
const ENDINGS = new Set([...".!?。！？… \n"]);
const wide: Readonly<Record<string, string>> = { ",": "，", "?": "？", "!": "！", ":": "：", ";": "；" };

export const languageOf = (text: string): Language => (/\p{Script=Han}/u.test(text) ? "zh" : "en");

/** Without the signs at its end. */
const withoutEnd = (text: string): string => {
  let end = text.length;
  while (end > 0 && ENDINGS.has(text.charAt(end - 1))) end--;
  return text.slice(0, end);
};

/** Ways in which the text of a dialogue differs from the call log's: never in letters or digits, apart from their case. */
const variants: readonly ((text: string) => string)[] = [
  withoutEnd,
  (text) => (languageOf(text) === "zh" ? text.replace(/[,?!:;]/g, (sign) => wide[sign] ?? sign) : text.toLowerCase()),
  (text) => (languageOf(text) === "zh" ? text.replace(/([,。，])/gu, "$1 ") : ` ${text.replaceAll(", ", " , ")}`),
  (text) => text.replace(/\n+/g, " "),
];

/** The text of a dialogue, whose call log has the text `logged`. */
export const dialogueText = (random: Random, logged: string): string => {
  const text = random.chance(0.8) ? logged.replaceAll(TAG, "") : logged;
  return random.chance(0.4) ? random.pick(variants)(text) : text;
};

const thoughts: Readonly<Record<Language, readonly string[]>> = {
  zh: [
    "用户的问题需要先核对信息,再给出明确的答复。",
    "这里要先安抚情绪,然后说明下一步怎么做。",
    "信息还不完整,应该追问一个最关键的细节。",
  ],
  en: [
    "The user wants a clear answer; check the facts first, then reply in one sentence.",
    "First acknowledge the trouble, then name the next step.",
    "A detail is missing, so ask for the one that matters most.",
  ],
};

/** What a model notes before it answers. */
export const reasoning = (random: Random, text: string): string => random.pick(thoughts[languageOf(text)]);
