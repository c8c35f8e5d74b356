import type { ConnectionRequest, SelectionRequest, SourcesRequest } from "../app/requests.ts";
import type { Input } from "./command-spec.ts";
import type { ConnectionFlags, SelectionFlags, SourceFlags } from "./options.ts";

type Selecting = Pick<Input<SelectionFlags>, "args" | "given"> & { flags: SelectionFlags & { lookback?: number } };

/** Removes keys whose value is undefined, because a request must not have such keys. */
export const defined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;

/**
The selection of a command that contacts the service.

Ids on the command line override a range from the environment or the config file.
*/
export const selectionRequest = ({ args, flags, given }: Selecting): SelectionRequest => {
  const { ids: idsFile, source, agent, since, until, tz, shard, limit } = flags;
  const byIds = args.length > 0 || idsFile !== undefined;
  const time = (name: "since" | "until", value: string | undefined) => (byIds && !given.has(name) ? undefined : value);
  return defined({
    ids: args,
    idsFile,
    sources: source,
    agents: agent,
    since: time("since", since),
    until: time("until", until),
    tz,
    shard,
    limit,
  });
};

/**
The selection of a command that only reads the archive.

Ignores agents and times from the environment or the config file: they are meant for listing, and would hide stored calls.
Sources count from there too: they are meant for the archive.
*/
export const storedSelectionRequest = ({ args, flags, given }: Selecting): SelectionRequest => {
  const { ids: idsFile, source, agent, since, until, tz, shard, limit } = flags;
  return defined({
    ids: args,
    idsFile,
    sources: source,
    agents: given.has("agent") ? agent : undefined,
    since: given.has("since") ? since : undefined,
    until: given.has("until") ? until : undefined,
    tz,
    shard,
    limit,
  });
};

/**
The sources of a command that deletes.

Ignores sources from the environment or the config file: a setting for other commands must not decide what is deleted.
*/
export const givenSources = ({ flags, given }: Pick<Input<SourceFlags>, "flags" | "given">): SourcesRequest =>
  flags.source && given.has("source") ? { sources: flags.source } : {};

/** The flags without those of the selection, which have other names in a request. */
export const otherFlags = <F extends SelectionFlags>(flags: F): Omit<F, keyof SelectionFlags> => {
  const { ids: _, source: _so, agent: _a, since: _s, until: _u, tz: _t, shard: _sh, limit: _l, ...rest } = flags;
  return rest;
};

export const connectionRequest = ({
  region,
  endpoint,
  profile,
  client,
  tps,
  retries,
}: ConnectionFlags): ConnectionRequest =>
  ({ client, retries, ...defined({ region, endpoint, profile, tps }) }) as ConnectionRequest;
