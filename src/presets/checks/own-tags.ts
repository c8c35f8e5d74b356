const THINK = ["<think>", "</think>"] as const;
const CALL = ["<tool_call>", "</tool_call>"] as const;

/**
Changes an answer outside of the tags that thinking models are to say: thoughts at its beginning, and tool calls in JSON.
What is between the tags is changed, too.
*/
export const outsideOwnTags = (answer: string, change: (piece: string) => string): string => {
  if (!answer.includes("</")) return change(answer);
  const pieces: string[] = [];
  let from = 0;
  for (const { at, tag } of [...thoughtTags(answer), ...callTags(answer)].sort((one, other) => one.at - other.at)) {
    pieces.push(change(answer.slice(from, at)), tag);
    from = at + tag.length;
  }
  return pieces.join("") + change(answer.slice(from));
};

interface TagPlace {
  at: number;
  tag: string;
}

const thoughtTags = (answer: string): TagPlace[] => {
  const start = answer.length - answer.trimStart().length;
  const end = answer.startsWith(THINK[0], start) ? answer.indexOf(THINK[1], start) : -1;
  return end === -1 ? [] : placed(THINK, start, end);
};

const callTags = (answer: string): TagPlace[] => {
  const tags: TagPlace[] = [];
  const [open, close] = CALL;
  let from = 0;
  for (let end = answer.indexOf(close); end !== -1; end = answer.indexOf(close, from)) {
    const piece = answer.slice(from, end);
    const start = piece.lastIndexOf(open);
    if (start !== -1 && /^\s*[[{]/.test(piece.slice(start + open.length)))
      tags.push(...placed(CALL, from + start, end));
    from = end + close.length;
  }
  return tags;
};

const placed = ([open, close]: readonly [string, string], start: number, end: number): TagPlace[] => [
  { at: start, tag: open },
  { at: end, tag: close },
];
