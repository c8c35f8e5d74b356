import type { Message } from "../../core/sample.ts";
import { isObject, type Json } from "../../core/transcript.ts";

/** Renders messages as a model sees them; throws what the template raises. */
export type Render = (messages: readonly Message[]) => string;

/**
A chat template, as trainers apply it: every message, and no beginning of another answer after them.

@param constants what the template may name besides, such as `bos_token`.
@throws SyntaxError when it is no Jinja.
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
    if (typeof rendered !== "string") throw new TypeError("The chat template gave no text.");
    return rendered;
  };
};

/** What transformers gives to templates. */
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
  /** The day that Llama's own template names when it has no clock. */
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

/** Templates expect an object; text that is none they print as it is. */
const parsedArguments = (text: string): Json => {
  try {
    const value: Json = JSON.parse(text);
    return isObject(value) ? value : text;
  } catch {
    return text;
  }
};
