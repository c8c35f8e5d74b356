/** Line breaks and the characters that a terminal obeys: C0, DEL, C1, and Unicode's own line and paragraph separators. */
const CONTROLS = /[\p{Cc}\u2028\u2029][\s\p{Cc}]*/gu;

/** Characters that show nothing but change what is shown: marks of direction, of no width, variants, tags. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/** What JSON.stringify leaves as it is, though a terminal may obey it. */
const RAW_IN_JSON = /[\u007f-\u009f\u2028\u2029]/gu;

/**
Text from outside as one line that is safe on a terminal.

Everything that is written for people goes through here. Each run of control characters and line breaks becomes one
space; what is invisible is taken out, joiners of emoji too.
*/
export const oneLine = (text: string): string => text.toWellFormed().replace(CONTROLS, " ").replace(INVISIBLE, "");

/** The same for text whose line breaks are our own. */
export const printable = (text: string): string => text.split("\n").map(oneLine).join("\n");

/** JSON on one line, in which everything that `oneLine` would replace is an escape. */
export const jsonLine = (value: object): string =>
  JSON.stringify(value).replace(RAW_IN_JSON, escapeUnits).replace(INVISIBLE, escapeUnits);

const escapeUnits = (text: string): string =>
  text
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
