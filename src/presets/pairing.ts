import { isObject } from "../core/transcript.ts";
import { eachRow, type Rule } from "./checks/rule.ts";
import type { View } from "./checks/view.ts";

/** Calls of tools as OpenAI has them, each answered right after it by its id, but for those that a row ends on. */
export const pairingRule = (view: View): Rule =>
  eachRow(
    "tool-pairing",
    "error",
    "Results of tools that answer no call, and calls without result, are refused.",
    (row) => {
      const seen = view(row);
      if (typeof seen === "string") return undefined;
      let waiting: unknown[] = [];
      for (const { where, role, message } of seen) {
        if (role === "tool") {
          const id = message.tool_call_id;
          if (!waiting.includes(id)) return `${where} answers no call`;
          waiting = waiting.filter((other) => other !== id);
          continue;
        }
        if (waiting.length > 0) return `${where} comes before the result of a call`;
        const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
        waiting = calls.filter(isObject).map(({ id }) => id);
      }
      return undefined;
    },
  );
