import { ApiError } from "./api-error.ts";
import type { Call } from "./corpus.ts";
import type { Dialogues } from "./dialogues.ts";
import type { Directory } from "./directory.ts";
import type { Dice } from "./faults.ts";
import { fullInstance, listItem } from "./instance.ts";
import { createListDialogues } from "./list-dialogues.ts";
import { invalid, isoSeconds, required, whole } from "./parameters.ts";
import type { Action, Product } from "./rpc.ts";
import type { Sessions } from "./sessions.ts";
import type { Store } from "./store.ts";

const PAGE_LIMIT = 100;

export interface IceOptions {
  directory: Directory;
  store: Store;
  sessions: Sessions;
  dialogues: Dialogues;
  dice: Dice;
  /** The end of the corpus, which is the default of EndTime. */
  end: Date;
}

/** The actions on AI agent instances and their sessions. */
export const createIce = ({ directory, store, sessions, dialogues, dice, end }: IceOptions): Product => {
  const link = (call: Call): string | undefined =>
    call.status === "Finished" || call.link !== undefined ? store.link(call, dice.roll("expire")) : undefined;

  const describe: Action = (parameters) => {
    const call = directory.find(required(parameters, "InstanceId"));
    if (!call) throw new ApiError(404, "InvalidInstance.NotFound", "The specified instance does not exist.");
    return { Instance: fullInstance(call, link(call), sessions.of(call)) };
  };

  const list: Action = (parameters) => {
    const agent = required(parameters, "AIAgentId");
    const page = whole(parameters, "PageNumber", 1, PAGE_LIMIT);
    const size = whole(parameters, "PageSize", 10, PAGE_LIMIT);
    const since = isoSeconds(parameters, "StartTime", 0);
    const until = isoSeconds(parameters, "EndTime", Math.ceil(end.getTime() / 1000));
    if (until < since) throw invalid("EndTime", "it must not be before StartTime");
    if (page > 1 && dice.roll("shift")) {
      const start = Math.max(since, until - dice.random.int(0, 59));
      directory.add({ agent, start: new Date(start * 1000) });
    }
    const { cap = size, clip = size } = dice.faults;
    const step = Math.min(size, cap);
    const offset = (page - 1) * step;
    if (page > 1 && dice.roll("vanish")) directory.vanish(agent, since, until, dice.random.int(0, offset - 1));
    const calls = directory.list(agent, since, until, offset, Math.min(step, clip));
    return { Instances: calls.map((call) => listItem(call, link(call))) };
  };

  return {
    name: "ice",
    version: "2020-11-09",
    isMetered: true,
    actions: {
      DescribeAIAgentInstance: describe,
      ListAIAgentInstance: list,
      ListAIAgentDialogues: createListDialogues(dialogues, dice),
    },
  };
};
