import { isObject } from "../core/transcript.ts";
import { eachRow, type Rule } from "./checks/rule.ts";
import type { View } from "./checks/view.ts";

/** Tool calls in OpenAI's form: each is answered right after it, by its id, except calls at the end of a row. */
export const pairingRule = (view: View): Rule =>
  eachRow("tool-pairing", "error", "Tool results without a call and calls without a result are refused.", (row) => {
    const messages = view(row);
    if (typeof messages === "string") return undefined;
    let waiting: unknown[] = [];
    for (const { where, role, message } of messages) {
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
  });
