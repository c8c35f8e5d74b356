/** Line breaks and terminal control characters: C0, DEL, C1, and Unicode's line and paragraph separators. */
const CONTROLS = /[\p{Cc}\u2028\u2029][\s\p{Cc}]*/gu;

/** Invisible characters that change the visible text: direction marks, zero width, variants, tags. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/** Control characters that JSON.stringify does not escape. */
const RAW_IN_JSON = /[\u007f-\u009f\u2028\u2029]/gu;

/**
Text from outside as one line that is safe on a terminal.

All output for people uses it. Each run of control characters and line breaks becomes one space. Invisible characters
are removed, joiners of emoji included.
*/
export const oneLine = (text: string): string => text.toWellFormed().replace(CONTROLS, " ").replace(INVISIBLE, "");

/** The same for text with line breaks of our own, which stay. */
export const printable = (text: string): string => text.split("\n").map(oneLine).join("\n");

/** JSON on one line, with an escape for every character that `oneLine` would replace. */
export const jsonLine = (value: object): string =>
  JSON.stringify(value).replace(RAW_IN_JSON, escapeUnits).replace(INVISIBLE, escapeUnits);

const escapeUnits = (text: string): string =>
  text
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
