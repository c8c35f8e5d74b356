import { Lexer } from "yaml";

/** More than settings need, and few enough for the parser's stack. */
const DEPTH = 16;
const INDENT = 100;

/**
The line where brackets, dashes or indentation are nested too deeply, or undefined.

Checked before parsing: deep nesting overflows the parser's stack, which can abort the process (V8 fails fatally when it
compiles a regular expression there). The lexer does not recurse.
*/
export const deepLine = (text: string): number | undefined => {
  let line = 1;
  let brackets = 0;
  let marks = 0;
  let isStart = true;
  for (const token of new Lexer().lex(text)) {
    const kind = KINDS[token[0] ?? ""];
    if (kind === "open") brackets += 1;
    else if (kind === "close") brackets -= 1;
    else if (kind === "mark" && token.length === 1) marks += 1;
    if (brackets > DEPTH || marks > DEPTH || (isStart && /^ +$/.test(token) && token.length > INDENT)) return line;
    const breaks = token.split("\n").length - 1;
    line += breaks;
    isStart = breaks > 0;
    if (isStart) marks = 0;
  }
  return undefined;
};

const KINDS: Record<string, "open" | "close" | "mark"> = {
  "[": "open",
  "{": "open",
  "]": "close",
  "}": "close",
  "-": "mark",
  "?": "mark",
};
