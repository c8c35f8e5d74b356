import type { Dialogues } from "./dialogues.ts";
import type { Dice } from "./faults.ts";
import { invalid, milliseconds, optional, required, whole } from "./parameters.ts";
import type { Action } from "./rpc.ts";

const MOST_DIALOGUES = 100;
const MOST_PAGES = 1_000_000;

/** ListAIAgentDialogues. A session that nobody knows has no dialogues. */
export const createListDialogues =
  (dialogues: Dialogues, dice: Dice): Action =>
  (parameters) => {
    const session = required(parameters, "SessionId");
    const time = (name: string): number => {
      required(parameters, name);
      return milliseconds(parameters, name, 0);
    };
    const [since, until] = [time("StartTime"), time("EndTime")];
    if (until < since) throw invalid("EndTime", "it must not be before StartTime");
    const page = whole(parameters, "PageNumber", 1, MOST_PAGES);
    const size = whole(parameters, "PageSize", 20, MOST_DIALOGUES);
    const order = optional(parameters, "Order") ?? "DESC";
    if (order !== "ASC" && order !== "DESC") throw invalid("Order", "it must be ASC or DESC");

    const query = { session, since, until };
    const last = dialogues.list(query).at(-1);
    if (page > 1 && last && dice.roll("shift"))
      dialogues.add({ sessionId: session, text: "还在吗? / Still there?", time: new Date(last.Time) });
    const found = dialogues.list(query);
    if (order === "DESC") found.reverse();
    const step = Math.min(size, dice.faults.cap ?? size);
    const shown = page > 1 && dice.roll("repeat") ? page - 1 : page;
    return { Dialogues: found.slice((shown - 1) * step, shown * step) };
  };
