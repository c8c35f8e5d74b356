import { INTERRUPTED } from "../../core/transcript.ts";
import { eachRow, kindOf, named, type Rule } from "./rule.ts";
import type { Seen, View } from "./view.ts";

export interface MessageShape {
  view: View;
  /** What each side is called. */
  user: readonly string[];
  assistant: readonly string[];
  system?: string;
  /** Roles of the assistant's side that call tools, where calls are messages of their own. */
  calls?: readonly string[];
  /** Roles of tools' results. */
  tool?: readonly string[];
  /** Every key that a message may have. */
  keys: readonly string[];
  /** A list of `{"text": …}` may stand for a text. */
  parts?: boolean;
  emptyUser?: boolean;
  /** Roles other than `tool` whose text may be empty. */
  blank?: readonly string[];
}

type Find = (seen: Seen[]) => string | undefined;

/** What holds for every list of messages, in the order in which it is best told. */
export const messageRules = (shape: MessageShape): Rule[] => {
  const { view, user, assistant, system, calls = [], tool = [], keys } = shape;
  const answers = [...assistant, ...calls];
  const roles = [...(system === undefined ? [] : [system]), ...user, ...answers, ...tool];
  const on = (id: string, effect: string, find: Find): Rule =>
    eachRow(id, "error", effect, (row) => {
      const seen = view(row);
      return typeof seen === "string" ? undefined : find(seen);
    });
  const dialog = (seen: Seen[]): Seen[] => seen.filter(({ role }) => system === undefined || role !== system);
  const isOne = (list: readonly string[], { role }: Seen): boolean => typeof role === "string" && list.includes(role);
  const callsTools = ({ message }: Seen): boolean => Array.isArray(message.tool_calls) && message.tool_calls.length > 0;

  return [
    eachRow("no-messages", "error", "The row cannot be read as a conversation.", (row) => {
      const seen = view(row);
      return typeof seen === "string" ? seen : undefined;
    }),
    on("role", "Roles outside the reader's own stop it, or its chat template.", (seen) =>
      first(
        seen,
        (each) => !isOne(roles, each),
        ({ role }) => `has the role ${named(role)}`,
      ),
    ),
    on("message-key", "Keys that the reader does not know are refused, or change the column's type.", (seen) => {
      for (const { where, message } of seen) {
        const odd = Object.keys(message).find((key) => !keys.includes(key));
        if (odd !== undefined) return `${where} has the key ${named(odd)}`;
      }
      return undefined;
    }),
    on("content-type", "Chat templates add texts up: anything else raises or is written out as code.", (seen) =>
      first(
        seen,
        (each) =>
          typeof each.content !== "string" && !(each.content === null && callsTools(each)) && !isParts(shape, each),
        ({ content }) => `has content that is ${kindOf(content)}`,
      ),
    ),
    on("empty-content", "The model learns to say nothing, or the row is refused.", (seen) =>
      first(
        seen,
        (each) =>
          isBlank(each) &&
          !isOne([...tool, ...(shape.blank ?? [])], each) &&
          !callsTools(each) &&
          !(shape.emptyUser === true && isOne(user, each) && each === dialog(seen)[0]),
        () => "has no text",
      ),
    ),
    on("system-place", "A system turn that is not the first is refused by most chat templates.", (seen) =>
      first(
        seen.slice(1),
        ({ role }) => system !== undefined && role === system,
        () => "is a system turn, but not first",
      ),
    ),
    on("starts-with-assistant", "Chat templates that want the user first raise, or the row is left out.", (seen) => {
      const start = dialog(seen)[0];
      return start && isOne(assistant, start) ? `${start.where} opens the dialog` : undefined;
    }),
    on("alternation", "Chat templates that want strict turns raise, or the row is left out.", (seen) => {
      const turns = dialog(seen);
      const repeated = turns.find((each, index) => {
        const before = turns[index - 1];
        return before !== undefined && [user, assistant].some((side) => isOne(side, before) && isOne(side, each));
      });
      return repeated && `${repeated.where} has the role of the one before it, ${named(repeated.role)}`;
    }),
    on("no-assistant", "There is nothing to learn in it.", (seen) =>
      seen.some((each) => isOne(answers, each)) ? undefined : "no turn of the assistant",
    ),
    on("ends-with-user", "What follows the last answer is never learned; strict readers leave the row out.", (seen) => {
      const end = seen.at(-1);
      const isOdd = end && seen.some((each) => isOne(answers, each)) && !isOne(answers, end);
      return isOdd ? `${end.where}, the last, has the role ${named(end.role)}` : undefined;
    }),
    {
      ...on("interrupted-tag", "The model learns to say the platform's tag.", (seen) =>
        first(
          seen,
          ({ content }) => typeof content === "string" && content.includes(INTERRUPTED),
          () => `holds ${INTERRUPTED}`,
        ),
      ),
      severity: "warning",
    },
  ];
};

const first = (
  seen: readonly Seen[],
  isOdd: (each: Seen) => boolean,
  tell: (each: Seen) => string,
): string | undefined => {
  const found = seen.find(isOdd);
  return found && `${found.where} ${tell(found)}`;
};

const textsOf = (content: unknown): unknown[] =>
  Array.isArray(content) ? content.map((part) => (part as { text?: unknown } | null)?.text) : [content];

const isParts = ({ parts }: MessageShape, { content }: Seen): boolean =>
  parts === true &&
  Array.isArray(content) &&
  content.length > 0 &&
  textsOf(content).every((text) => typeof text === "string");

const isBlank = ({ content }: Seen): boolean => {
  const texts = textsOf(content);
  return texts.every((text) => typeof text === "string" && text.trim() === "");
};
