import type { Message, Sample } from "../../../core/sample.ts";
import type { JsonObject } from "../../../core/transcript.ts";
import type { Dialog } from "../../command/line-program.ts";
import { WrongAnswer } from "../../command/wrong-answer.ts";

/** What the command is told of a sample: its messages as in a row of `messages` or `openai`, and its language. */
export const scoreQuestion = ({ messages, language }: Sample): JsonObject => ({
  messages: messages.map(shownMessage),
  language,
});

const shownMessage = ({ role, content, learn, reasoning, toolCalls, toolCallId }: Message): JsonObject => ({
  role,
  // Python cannot print half a surrogate pair.
  content: content.toWellFormed(),
  ...(learn === false && { learn }),
  ...(reasoning !== undefined && { reasoning: reasoning.toWellFormed() }),
  ...(toolCalls && {
    tool_calls: toolCalls.map(({ id, name, arguments: text }) => ({
      id: id.toWellFormed(),
      type: "function",
      function: { name: name.toWellFormed(), arguments: text.toWellFormed() },
    })),
  }),
  ...(toolCallId !== undefined && { tool_call_id: toolCallId.toWellFormed() }),
});

/** The command that scores is asked for the score of a sample. */
export const SCORE_DIALOG: Dialog<JsonObject, number> = {
  name: "score command",
  things: "samples",
  timeoutFlag: "--score-timeout",
  ask: (question) => question,
  read: ({ score }) => {
    if (typeof score !== "number" || !Number.isFinite(score)) throw new WrongAnswer("has no score that is a number");
    return score;
  },
};
