import type { Abilities } from "../shape.ts";
import { eachRow, quote, type Rule } from "./rule.ts";
import type { RowMessage, View } from "./view.ts";

interface LossShape {
  view: View;
  loss: NonNullable<Abilities["loss"]>;
  assistant: readonly string[];
  /** The values that the key may have. */
  values: "boolean" | "0 or 1";
  /** What this reader does if only some turns have the key. */
  mixed: Pick<Rule, "severity" | "effect">;
}

/** `mixed` for readers that load their files with Hugging Face `datasets`. */
export const CHANGES_TYPE = {
  severity: "error",
  effect: "The column's type changes: Hugging Face datasets before 4.7 raise, also for a key that train does not have.",
} as const;

/** Rules for the key that says whether a turn is learned. */
export const lossRules = ({ view, loss: { key, on }, assistant, values, mixed }: LossShape): Rule[] => {
  const isAssistant = ({ role }: RowMessage): boolean => typeof role === "string" && assistant.includes(role);
  const fits = (value: unknown): boolean =>
    values === "boolean" ? typeof value === "boolean" : value === 0 || value === 1;
  const has = ({ message }: RowMessage): boolean => Object.hasOwn(message, key);
  const rule = (id: string, effect: string, find: (messages: RowMessage[]) => string | undefined): Rule =>
    eachRow(id, "error", effect, (row) => {
      const messages = view(row);
      return typeof messages === "string" ? undefined : find(messages);
    });

  return [
    rule(
      "loss-value",
      `"${key}" is ${values === "boolean" ? "true or false" : values}: anything else is refused or misread.`,
      (messages) => {
        const wrong = messages.find((each) => has(each) && !fits(each.message[key]));
        return wrong && `${wrong.where} has "${key}": ${quote(wrong.message[key])}`;
      },
    ),
    ...(on === "assistants"
      ? [
          rule("loss-place", `"${key}" belongs only to turns of the assistant.`, (messages) => {
            const wrong = messages.find((each) => has(each) && !isAssistant(each));
            return wrong && `${wrong.where} has "${key}", with the role ${quote(wrong.role)}`;
          }),
        ]
      : []),
    rule("nothing-to-learn", "The row takes training time and teaches nothing.", (messages) => {
      const answers = messages.filter(isAssistant);
      const isOff = ({ message }: RowMessage): boolean => message[key] === false || message[key] === 0;
      return answers.length > 0 && answers.every(isOff) ? "no turn of it is learned" : undefined;
    }),
    {
      id: "mixed-keys",
      ...mixed,
      watch: () => ({ row: mixedKeys(view, key, on === "every" ? () => true : isAssistant) }),
    },
  ];
};

/** Finds rows in which only some turns have the key, or that differ from the first row in having it. */
const mixedKeys = (view: View, key: string, isFor: (each: RowMessage) => boolean) => {
  let usual: { has: boolean } | undefined;
  return (row: Parameters<View>[0]): string | undefined => {
    const messages = view(row);
    if (typeof messages === "string") return undefined;
    const turns = messages.filter(isFor);
    const count = turns.filter(({ message }) => Object.hasOwn(message, key)).length;
    if (turns.length === 0) return undefined;
    if (count > 0 && count < turns.length) return `"${key}" is on ${count} of ${turns.length} turns`;
    usual ??= { has: count > 0 };
    if (usual.has === count > 0) return undefined;
    return `"${key}" is ${count > 0 ? "here, but not in the first row" : "missing, but the first row has it"}`;
  };
};
