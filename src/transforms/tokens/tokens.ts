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
A counter of the tokens that a trainer sees: the messages, rendered through the chat template, then encoded.

`o200k` has no template: OpenAI counts three tokens around each message and three for the answer to come
(https://developers.openai.com/cookbook/examples/how_to_count_tokens_with_tiktoken).

What the template raises, such as Mistral's on roles that do not alternate, is thrown by the counter.

@throws UsageError when the tokenizer is not installed or not readable, or brings no chat template.
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

/** What became of a sample under a token budget. */
export interface Fitted {
  messages: readonly Message[];
  tokens: number;
  /** Messages that were cut off its end. */
  cut: number;
}

/**
A sample within a budget: as it is, or with `cut` its longest beginning that fits and is a sample itself.

Whole turns are cut from the end, never a part of one: what stays ends on an answer that the model may learn, with a
user's words before it. Undefined when there is none, and with `drop` whenever the whole does not fit.
*/
export const fitBudget = (
  messages: readonly Message[],
  budget: number,
  mode: "drop" | "cut",
  count: Count,
): Fitted | undefined => {
  const tokens = count(messages);
  if (tokens <= budget) return { messages, tokens, cut: 0 };
  if (mode === "drop") return undefined;
  const lengths = endings(messages);
  // A longer beginning takes more tokens: so the longest that fits is found by halving, and every answer was counted.
  let best: Fitted | undefined;
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

/** The lengths, short of the whole, at which a sample could end. */
const endings = (messages: readonly Message[]): number[] => {
  let hasUser = false;
  let hasLesson = false;
  return messages.flatMap(({ role, learn = true, toolCalls = [] }, index) => {
    hasUser ||= role === "user";
    hasLesson ||= role === "assistant" && learn && hasUser;
    // An answer that calls a tool is half an answer.
    const isEnd = role === "assistant" && toolCalls.length === 0 && hasLesson && index < messages.length - 1;
    return isEnd ? [index + 1] : [];
  });
};
