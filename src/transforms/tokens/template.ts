import type { Message } from "../../core/sample.ts";
import { isObject, type Json } from "../../core/transcript.ts";

/** Renders messages as a model sees them; throws the errors that the template raises. */
export type Render = (messages: readonly Message[]) => string;

/**
Renders a chat template as trainers do: all messages, without the beginning of another answer.

@param constants further variables of the template, such as `bos_token`.
@throws SyntaxError if it is not valid Jinja.
*/
export const createRender = async (template: string, constants: Readonly<Record<string, Json>>): Promise<Render> => {
  // Not `Template.render`: its `strftime_now` reads the clock, and counts must not depend on the day.
  const { Environment, Interpreter, Template } = await import("@huggingface/jinja");
  const { parsed } = new Template(template);
  return (messages) => {
    const environment = new Environment();
    const globals = { ...GLOBALS, ...constants, messages: messages.map(toTemplate), add_generation_prompt: false };
    for (const [name, value] of Object.entries(globals)) environment.set(name, value);
    const rendered: unknown = new Interpreter(environment).run(parsed).value;
    if (typeof rendered !== "string") throw new TypeError("The chat template did not return a text.");
    return rendered;
  };
};

/** The variables that transformers provides to templates. */
const GLOBALS = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  raise_exception: (reason: unknown) => {
    throw new Error(String(reason));
  },
  range: (first: number, last?: number, step = 1): number[] => {
    const [from, to] = last === undefined ? [0, first] : [first, last];
    return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, index) => from + index * step);
  },
  /** Returns the date that Llama's template uses when it has no clock. */
  strftime_now: (format: string): string => format.replace(/%[a-zA-Z]/g, (part) => DAY[part] ?? part),
};

const DAY: Readonly<Record<string, string>> = {
  "%Y": "2024",
  "%m": "07",
  "%d": "26",
  "%b": "Jul",
  "%B": "July",
  "%H": "00",
  "%M": "00",
};

const toTemplate = ({ role, content, reasoning, toolCalls, toolCallId }: Message) => ({
  role,
  content,
  ...(reasoning !== undefined && { reasoning_content: reasoning }),
  ...(toolCalls !== undefined && {
    tool_calls: toolCalls.map(({ id, name, arguments: text }) => ({
      id,
      type: "function",
      function: { name, arguments: parsedArguments(text) },
    })),
  }),
  ...(toolCallId !== undefined && { tool_call_id: toolCallId }),
});

/** Templates expect an object; text that is not a JSON object they print unchanged. */
const parsedArguments = (text: string): Json => {
  try {
    const value: Json = JSON.parse(text);
    return isObject(value) ? value : text;
  } catch {
    return text;
  }
};
