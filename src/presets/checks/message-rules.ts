import { blank } from "../../core/text.ts";
import { INTERRUPTED } from "../../core/transcript.ts";
import { contentRules } from "./content-rules.ts";
import { eachRow, kindOf, quote, type Rule } from "./rule.ts";
import type { RowMessage, View } from "./view.ts";

export interface MessageShape {
  view: View;
  /** The roles of each side. */
  user: readonly string[];
  assistant: readonly string[];
  system?: string;
  /** Roles of tool calls, if these are separate messages. */
  calls?: readonly string[];
  /** Roles of tool results. */
  tool?: readonly string[];
  /** Every key that a message may have. */
  keys: readonly string[];
  /** Content may be a list of `{"text": …}`. */
  parts?: boolean;
  emptyUser?: boolean;
  /** Roles other than `tool` whose text may be empty. */
  blank?: readonly string[];
  /** See `contentRules`. */
  media?: boolean;
}

type Find = (messages: RowMessage[]) => string | undefined;

/** Rules for every list of messages, the most important first. */
export const messageRules = (shape: MessageShape): Rule[] => {
  const { view, user, assistant, system, calls = [], tool = [], keys } = shape;
  const answers = [...assistant, ...calls];
  const roles = [...(system === undefined ? [] : [system]), ...user, ...answers, ...tool];
  const on = (id: string, effect: string, find: Find): Rule =>
    eachRow(id, "error", effect, (row) => {
      const messages = view(row);
      return typeof messages === "string" ? undefined : find(messages);
    });
  const dialog = (messages: RowMessage[]): RowMessage[] =>
    messages.filter(({ role }) => system === undefined || role !== system);
  const isOne = (list: readonly string[], { role }: RowMessage): boolean =>
    typeof role === "string" && list.includes(role);
  const callsTools = ({ message }: RowMessage): boolean =>
    Array.isArray(message.tool_calls) && message.tool_calls.length > 0;

  return [
    eachRow("no-messages", "error", "The row cannot be read as a conversation.", (row) => {
      const messages = view(row);
      return typeof messages === "string" ? messages : undefined;
    }),
    on("role", "The reader or its chat template stops at unknown roles.", (messages) =>
      first(
        messages,
        (each) => !isOne(roles, each),
        ({ role }) => `has the role ${quote(role)}`,
      ),
    ),
    on("message-key", "Unknown keys are refused, or change the column's type.", (messages) => {
      for (const { where, message } of messages) {
        const wrong = Object.keys(message).find((key) => !keys.includes(key));
        if (wrong !== undefined) return `${where} has the key ${quote(wrong)}`;
      }
      return undefined;
    }),
    on("content-type", "Chat templates join texts: anything else raises, or is printed as code.", (messages) =>
      first(
        messages,
        (each) =>
          typeof each.content !== "string" && !(each.content === null && callsTools(each)) && !isParts(shape, each),
        ({ content }) => `has content that is ${kindOf(content)}`,
      ),
    ),
    on("empty-content", "The model learns to say nothing, or the row is refused.", (messages) =>
      first(
        messages,
        (each) =>
          isBlank(each) &&
          !isOne([...tool, ...(shape.blank ?? [])], each) &&
          !callsTools(each) &&
          !(shape.emptyUser === true && isOne(user, each) && each === dialog(messages)[0]),
        () => "has no text",
      ),
    ),
    on("system-place", "A system turn that is not the first is refused by most chat templates.", (messages) =>
      first(
        messages.slice(1),
        ({ role }) => system !== undefined && role === system,
        () => "is a system turn, but not first",
      ),
    ),
    on("starts-with-assistant", "Chat templates that need the user first raise, or the row is skipped.", (messages) => {
      const start = dialog(messages)[0];
      return start && isOne(assistant, start) ? `${start.where} opens the dialog` : undefined;
    }),
    on("alternation", "Chat templates that need alternating roles raise, or the row is skipped.", (messages) => {
      const turns = dialog(messages);
      const repeated = turns.find((each, index) => {
        const before = turns[index - 1];
        return before !== undefined && [user, assistant].some((side) => isOne(side, before) && isOne(side, each));
      });
      return repeated && `${repeated.where} has the role of the one before it, ${quote(repeated.role)}`;
    }),
    on("no-assistant", "The row teaches nothing.", (messages) =>
      messages.some((each) => isOne(answers, each)) ? undefined : "no turn of the assistant",
    ),
    on("ends-with-user", "What follows the last answer is never learned; strict readers skip the row.", (messages) => {
      const end = messages.at(-1);
      const isWrong = end && messages.some((each) => isOne(answers, each)) && !isOne(answers, end);
      return isWrong ? `${end.where}, the last, has the role ${quote(end.role)}` : undefined;
    }),
    {
      ...on("interrupted-tag", "The model learns to say the platform's tag.", (messages) =>
        first(
          messages,
          ({ content }) => typeof content === "string" && content.includes(INTERRUPTED),
          () => `holds ${INTERRUPTED}`,
        ),
      ),
      severity: "warning",
    },
    ...contentRules(shape),
  ];
};

const first = (
  messages: readonly RowMessage[],
  isWrong: (each: RowMessage) => boolean,
  describe: (each: RowMessage) => string,
): string | undefined => {
  const found = messages.find(isWrong);
  return found && `${found.where} ${describe(found)}`;
};

const textsOf = (content: unknown): unknown[] =>
  Array.isArray(content) ? content.map((part) => (part as { text?: unknown } | null)?.text) : [content];

const isParts = ({ parts }: MessageShape, { content }: RowMessage): boolean =>
  parts === true &&
  Array.isArray(content) &&
  content.length > 0 &&
  textsOf(content).every((text) => typeof text === "string");

const isBlank = ({ content }: RowMessage): boolean => {
  const texts = textsOf(content);
  return texts.every((text) => typeof text === "string" && blank(text));
};
