import { ApiError } from "./api-error.ts";
import type { Call } from "./corpus.ts";
import type { Directory } from "./directory.ts";
import type { Dice } from "./faults.ts";
import { fullInstance, listItem } from "./instance.ts";
import type { Store } from "./store.ts";

type Action = (parameters: URLSearchParams) => Record<string, unknown>;

const VERSION = "2020-11-09";
const STS_VERSION = "2015-04-01";
const PAGE_LIMIT = 100;
const utc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const invalid = (name: string, rule: string): ApiError =>
  new ApiError(400, `InvalidParameter.${name}`, `The parameter ${name} is not valid: ${rule}.`);

const whole = (parameters: URLSearchParams, name: string, fallback: number): number => {
  const text = parameters.get(name) ?? String(fallback);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > PAGE_LIMIT) throw invalid(name, `it must be 1 to ${PAGE_LIMIT}`);
  return value;
};

/** Seconds since 1970. */
const time = (parameters: URLSearchParams, name: string, fallback: number): number => {
  const text = parameters.get(name);
  if (text === null || text === "") return fallback;
  const at = utc.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw invalid(name, "use UTC, like 2023-01-01T00:00:00Z");
  return at / 1000;
};

export interface RpcOptions {
  directory: Directory;
  store: Store;
  dice: Dice;
  deny: readonly string[];
  /** The end of the corpus, which is the default of EndTime. */
  end: Date;
  account: string;
}

/** The action of STS, which has its own version and quota. */
export const IDENTITY = "GetCallerIdentity";

/** The supported actions of the API. */
export const createRpc = ({ directory, store, dice, deny, end, account }: RpcOptions) => {
  const link = (call: Call): string | undefined =>
    call.status === "Finished" || call.link !== undefined ? store.link(call, dice.roll("expire")) : undefined;

  const describe: Action = (parameters) => {
    const id = parameters.get("InstanceId");
    if (!id) throw new ApiError(400, "MissingInstanceId", "InstanceId is mandatory for this action.");
    const call = directory.find(id);
    if (!call) throw new ApiError(404, "InvalidInstance.NotFound", "The specified instance does not exist.");
    return { Instance: fullInstance(call, link(call)) };
  };

  const list: Action = (parameters) => {
    const agent = parameters.get("AIAgentId");
    if (!agent) throw new ApiError(400, "MissingAIAgentId", "AIAgentId is mandatory for this action.");
    const page = whole(parameters, "PageNumber", 1);
    const size = whole(parameters, "PageSize", 10);
    const since = time(parameters, "StartTime", 0);
    const until = time(parameters, "EndTime", Math.ceil(end.getTime() / 1000));
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

  const identity: Action = () => ({
    AccountId: account,
    Arn: `acs:ram::${account}:user/emulator`,
    IdentityType: "RAMUser",
    PrincipalId: "200000000000000001",
    UserId: "200000000000000001",
  });

  const actions = new Map<string, Action>([
    ["DescribeAIAgentInstance", describe],
    ["ListAIAgentInstance", list],
    [IDENTITY, identity],
  ]);

  return {
    knows: (action: string): boolean => actions.has(action),
    run: (action: string, version: string, parameters: URLSearchParams): Record<string, unknown> => {
      const supported = action === IDENTITY ? STS_VERSION : VERSION;
      if (version !== supported)
        throw new ApiError(400, "InvalidVersion", `The specified version is not valid; use ${supported}.`);
      const run = actions.get(action);
      if (!run) throw new ApiError(404, "InvalidAction.NotFound", "The specified action does not exist.");
      if (deny.includes(action))
        throw new ApiError(
          403,
          "Forbidden.RAM",
          `User not authorized to operate on the specified resource: ice:${action}.`,
        );
      return run(parameters);
    },
  };
};

export type Rpc = ReturnType<typeof createRpc>;
