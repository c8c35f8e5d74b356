import type { Message } from "../../core/sample.ts";
import { messagesOfRow } from "./row-messages.ts";
import { eachRow, type Rule } from "./rule.ts";

/** The longest rows that are wanted. */
export interface LengthLimits {
  maxTokens?: number;
  /** Of all texts of a row together, in UTF-16 units. */
  maxCharacters?: number;
  /** Counts tokens with the chat template; throws what the template raises. */
  count?: (messages: readonly Message[]) => number;
}

const EFFECT = "Trainers drop the row, or cut off its end and with it the last answer.";

/** Rules for the length of rows; those that are not limited have none. */
export const lengthRules = ({ maxTokens, maxCharacters, count }: LengthLimits): Rule[] => {
  const rules: Rule[] = [];
  if (maxCharacters !== undefined)
    rules.push(
      eachRow("too-many-characters", "error", EFFECT, (row) => {
        const characters = messagesOfRow(row).reduce((sum, message) => sum + lengthOf(message), 0);
        return characters > maxCharacters ? `${characters} characters of at most ${maxCharacters}` : undefined;
      }),
    );
  if (count !== undefined)
    rules.push({
      id: "too-many-tokens",
      severity: "error",
      effect: `${EFFECT} Rows that the chat template refuses have no count.`,
      watch: () => ({
        row: (row) => {
          const tokens = countOrRefuse(messagesOfRow(row), count);
          if (tokens === undefined) return "cannot be counted: the chat template refuses the row";
          return tokens > (maxTokens ?? Number.POSITIVE_INFINITY)
            ? `${tokens} tokens of at most ${maxTokens}`
            : undefined;
        },
      }),
    });
  return rules;
};

const lengthOf = ({ content, toolCalls = [] }: Message): number =>
  content.length + toolCalls.reduce((sum, call) => sum + call.name.length + call.arguments.length, 0);

/** Undefined where the template raises. Its message is not told, because it can quote the row. */
const countOrRefuse = (messages: readonly Message[], count: NonNullable<LengthLimits["count"]>): number | undefined => {
  try {
    return count(messages);
  } catch {
    return undefined;
  }
};
