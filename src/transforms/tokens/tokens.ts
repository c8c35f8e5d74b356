import type { Message } from "../../core/sample.ts";
import { loadTokenizer } from "./load.ts";
import { createRender } from "./template.ts";

/** How many tokens a sample takes in training. */
export type Count = (messages: readonly Message[]) => number;

export interface CounterOptions {
  /** `qwen3`, `o200k`, or the path of a tokenizer.json with tokenizer_config.json (or chat_template.jinja) beside it. */
  tokenizer: string;
  /** A chat template, Jinja, instead of the tokenizer's own. */
  template?: string;
}

/**
Counts the tokens that a trainer sees: renders the messages with the chat template, then encodes them.

`o200k` has no template: OpenAI adds three tokens per message and three for the next answer
(https://developers.openai.com/cookbook/examples/how_to_count_tokens_with_tiktoken).

The counter throws the errors of the template; for example Mistral's raises if roles do not alternate.

@throws UsageError if the tokenizer is not installed, is not readable, or has no chat template.
*/
export const createCounter = async ({ tokenizer, template }: CounterOptions): Promise<Count> => {
  const { encode, chat } = await loadTokenizer(tokenizer, template);
  if (chat === undefined) return (messages) => messages.reduce((sum, message) => sum + openaiCount(message, encode), 3);
  const render = await createRender(chat.template, chat.constants);
  return (messages) => encode(render(messages));
};

const openaiCount = ({ role, content, toolCalls = [] }: Message, encode: (text: string) => number): number =>
  3 +
  encode(role) +
  encode(content) +
  toolCalls.reduce((sum, { name, arguments: text }) => sum + encode(name) + encode(text), 0);

/** A sample within a token budget. */
export interface FittingSample {
  messages: readonly Message[];
  tokens: number;
  /** How many messages were removed from its end. */
  cut: number;
}

/**
Fits a sample into a budget: unchanged, or with `cut` the longest beginning that fits and is a sample itself.

Only whole turns are removed. The rest ends with an answer that the model may learn, after words of the user. Undefined if
there is no such beginning, and with `drop` if the whole sample does not fit.
*/
export const fitBudget = (
  messages: readonly Message[],
  budget: number,
  mode: "drop" | "cut",
  count: Count,
): FittingSample | undefined => {
  const tokens = count(messages);
  if (tokens <= budget) return { messages, tokens, cut: 0 };
  if (mode === "drop") return undefined;
  const lengths = endings(messages);
  // A longer beginning has more tokens, so binary search finds the longest that fits.
  let best: FittingSample | undefined;
  for (let [low, high] = [0, lengths.length - 1]; low <= high; ) {
    const middle = (low + high) >> 1;
    const length = lengths[middle] ?? 0;
    const beginning = messages.slice(0, length);
    const size = count(beginning);
    if (size <= budget) {
      best = { messages: beginning, tokens: size, cut: messages.length - length };
      low = middle + 1;
    } else high = middle - 1;
  }
  return best;
};

/** The lengths, shorter than the whole, at which a sample can end. */
const endings = (messages: readonly Message[]): number[] => {
  let hasUser = false;
  let hasLesson = false;
  return messages.flatMap(({ role, learn = true, toolCalls = [] }, index) => {
    hasUser ||= role === "user";
    hasLesson ||= role === "assistant" && learn && hasUser;
    // An answer that calls a tool is not complete.
    const isEnd = role === "assistant" && toolCalls.length === 0 && hasLesson && index < messages.length - 1;
    return isEnd ? [index + 1] : [];
  });
};
