import type { Message, Sample } from "../../core/sample.ts";

/**
One sample per agent turn that may be learned: the dialog up to this turn, and only this turn is learned.

The number in the id counts all agent turns, so that it does not depend on which of them are learned.
*/
export const expandTurns = (sample: Sample): Sample[] => {
  const seen: Message[] = [];
  const samples: Sample[] = [];
  let number = 0;
  for (const message of sample.messages) {
    const answers = message.role === "assistant";
    if (answers) number += 1;
    if (answers && message.learn !== false)
      samples.push({ ...sample, id: `${sample.id}#${number}`, messages: [...seen, message] });
    seen.push(answers ? { ...message, learn: false } : message);
  }
  return samples;
};
