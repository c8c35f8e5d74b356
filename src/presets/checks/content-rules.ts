import { controlTokensIn } from "../../core/control-tokens.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { outsideOwnTags } from "./own-tags.ts";
import { eachRow, type Rule, type Severity } from "./rule.ts";
import { type PlacedText, suspectTexts } from "./texts.ts";

/** The columns with files, and the placeholder that stands for one of them. */
const MEDIA = { images: "<image>", videos: "<video>", audios: "<audio>" } as const;

/**
Rules for the texts of a row, wherever they are.

@param media the reader takes placeholders such as `<image>` if the row names as many files; @default false
*/
export const contentRules = ({ media = false }: { media?: boolean } = {}): Rule[] => [
  eachRow(
    "control-token",
    "error",
    "A tokenizer reads it as a control token: the turn ends there, or another begins.",
    (row) => {
      const spare = media ? placeholdersLeft(row) : {};
      for (const placed of suspectTexts(row)) {
        const name = tokensOf(placed).find((each) => !takes(spare, each));
        if (name !== undefined) return `${placed.where} holds ${name}`;
      }
      return undefined;
    },
  ),
  inTexts("control-character", "warning", "The model learns it; some readers end the text there.", ({ text }) => {
    const [found] = CONTROL.exec(text) ?? [];
    if (found === undefined) return undefined;
    return found === "\0" ? "a NUL character" : `the control character ${codeOf(found)}`;
  }),
  inTexts("replacement-character", "warning", "A character was lost before; the model learns U+FFFD.", ({ text }) =>
    text.includes("\ufffd") ? "U+FFFD" : undefined,
  ),
  inTexts("carriage-return", "warning", "The model learns Windows line ends.", ({ text }) =>
    text.includes("\r") ? "a carriage return" : undefined,
  ),
];

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
export const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;

const codeOf = (character: string): string =>
  `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

const inTexts = (
  id: string,
  severity: Severity,
  effect: string,
  look: (text: PlacedText) => string | undefined,
): Rule =>
  eachRow(id, severity, effect, (row) => {
    for (const each of suspectTexts(row)) {
      const found = look(each);
      if (found !== undefined) return `${each.where} has ${found}`;
    }
    return undefined;
  });

const tokensOf = ({ text, isAnswer }: PlacedText): string[] => {
  if (!isAnswer) return controlTokensIn(text);
  const names: string[] = [];
  outsideOwnTags(text, (piece) => {
    names.push(...controlTokensIn(piece));
    return piece;
  });
  return names;
};

/** How many placeholders may still come. */
export type Spare = Partial<Record<string, number>>;

export const placeholdersLeft = (row: JsonObject): Spare =>
  Object.fromEntries(
    Object.entries(MEDIA).map(([column, placeholder]) => {
      const files = row[column];
      return [placeholder, Array.isArray(files) ? files.length : 0];
    }),
  );

/** Takes a placeholder for one of the row's files, if one is left. */
export const takes = (spare: Spare, name: string): boolean => {
  const left = spare[name] ?? 0;
  if (left > 0) spare[name] = left - 1;
  return left > 0;
};
