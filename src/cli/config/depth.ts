import { Lexer } from "yaml";

/** Far more than settings need, far less than a stack holds. */
const DEPTH = 16;
const INDENT = 100;

/**
The line where brackets, dashes or indentation go too deep, or undefined.

The parser answers depth with the end of its stack, which can abort the process (a regular expression compiled there is
a fatal error of V8); the lexer has no stack.
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
