import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";

/** A text of a row, with its place for people: `messages[2].content`. */
export interface PlacedText {
  where: string;
  text: string;
  /** What the model learns to say. */
  isAnswer: boolean;
}

/** Rules read texts with such signs alone: control characters, U+FFFD, and what begins a control token. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const SUSPECT = /[\0-\x08\x0b-\x1f\x7f-\x9f\ufffd<[\uff1c\ufe64\uff3b\ufe47\u226e]/;

const ANSWERS: readonly unknown[] = ["assistant", "gpt"];

type Place = { parent: Place; key: string | number } | undefined;

interface OpenValue {
  value: Json | undefined;
  place: Place;
  isAnswer: boolean;
}

/** The texts of a row that some rule must read: values and keys of objects, in any order. */
export const suspectTexts = (() => {
  // Remembers the last row, because several rules read it.
  let last: { row: JsonObject; texts: PlacedText[] } | undefined;
  return (row: JsonObject): PlacedText[] => {
    if (last?.row !== row) last = { row, texts: look(row) };
    return last.texts;
  };
})();

/** Without recursion: a hostile file may nest deeper than the stack. */
const look = (row: JsonObject): PlacedText[] => {
  const texts: PlacedText[] = [];
  const open: OpenValue[] = [{ value: row, place: undefined, isAnswer: false }];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const { value, place, isAnswer } = one;
    if (typeof value === "string") {
      if (SUSPECT.test(value)) texts.push({ where: pathOf(place), text: value, isAnswer });
    } else if (Array.isArray(value)) {
      for (let index = value.length - 1; index >= 0; index -= 1)
        open.push({ value: value[index], place: { parent: place, key: index }, isAnswer });
    } else if (isObject(value)) {
      for (const key of Object.keys(value).reverse()) {
        if (SUSPECT.test(key)) texts.push({ where: `a key in ${pathOf(place)}`, text: key, isAnswer: false });
        open.push({ value: value[key], place: { parent: place, key }, isAnswer: isAnswer || saysAnswer(value, key) });
      }
    }
  }
  return texts;
};

/** Whether this key of an object has the assistant's words: in all shapes of the presets. */
export const saysAnswer = (holder: JsonObject, key: string): boolean =>
  key === "output" || ((key === "content" || key === "value") && ANSWERS.includes(holder.role ?? holder.from));

const pathOf = (place: Place): string => {
  const pieces: string[] = [];
  for (let at = place; at !== undefined; at = at.parent) {
    if (typeof at.key === "number") pieces.push(`[${at.key}]`);
    // Any other key may be text of the conversation.
    else pieces.push(`${at.parent === undefined ? "" : "."}${/^\w{1,40}$/.test(at.key) ? at.key : "…"}`);
  }
  return pieces.reverse().join("") || "the row";
};
