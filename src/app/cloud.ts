import { serverTime } from "../cloud/clock.ts";
import { type Credentials, credentials } from "../cloud/credentials.ts";
import { endpointFor, parseEndpoint, regionOf } from "../cloud/endpoint.ts";
import { createEventBridge, EVENTBRIDGE_PRODUCT, EVENTBRIDGE_VERSION } from "../cloud/eventbridge.ts";
import { createIceSdk, iceSdkVersion } from "../cloud/ice-sdk.ts";
import { accountOf, placeOf } from "../cloud/identity.ts";
import { createIms, IMS_VERSION } from "../cloud/ims.ts";
import { createRpc } from "../cloud/openapi.ts";
import type { Download, EventBridge, Ims } from "../core/ports.ts";
import { DEFAULT_REGION } from "../core/region.ts";
import { createDispatcher, proxyInUse } from "../http/agent.ts";
import { createDownload } from "../http/download.ts";
import { isLoopback } from "../http/hosts.ts";
import { createRateLimiter } from "../http/rate-limiter.ts";
import { createRetryBudget } from "../http/retry.ts";
import { parseExact } from "../parse/values-exact.ts";
import type { AppContext, Host } from "./context.ts";
import type { CloudRequest, ConnectionRequest, EventBridgeRequest } from "./requests.ts";
import { createRetryReporter } from "./retries.ts";
import { USER_AGENT } from "./version.ts";

/** A connection to one service of the cloud. */
export interface Connection {
  endpoint: URL;
  /** The flag that sets the address of the service, with its value, for messages. */
  addressFlag: string;
  credentials: Credentials;
  /** Identifies the cloud: the endpoint's host, or `loopback`. */
  place: string;
  /** The account of the credentials, requested once; undefined if there is no answer within some seconds. */
  account(): Promise<string | undefined>;
  /** The service's clock, to the second; undefined if its answer has no time. */
  serverTime(): Promise<Date | undefined>;
  /** How many requests were throttled and repeated so far. */
  throttled(): number;
  close(): Promise<void>;
}

/** The connection for calls. */
export interface Cloud extends Connection {
  ims: Ims;
  /** Undefined if the endpoint's name does not contain it. */
  region: string | undefined;
  client: "sdk" | "builtin";
  download(limits: Pick<CloudRequest, "allowHost" | "maxDocumentSize">): Download;
}

/** The connection for chats and queries. */
export interface EventCloud extends Connection {
  eventBridge: EventBridge;
}

export type ConnectionContext = Pick<AppContext, "host" | "log" | "retries">;

/**
Connects to the service of calls. Credentials are fetched once, before any concurrent request.

@throws BadCredentials, UsageError
*/
export const connect = async (
  request: ConnectionRequest & Partial<Pick<CloudRequest, "concurrency">>,
  context: ConnectionContext,
): Promise<Cloud> => {
  const endpoint = request.endpoint === undefined ? endpointFor(request.region) : parseEndpoint(request.endpoint);
  const { connection, rpc, retry } = await reach(request, endpoint, context);
  const { dispatcher, ...sdkOptions } = rpc;
  const client = await chooseClient(request.client, context.host);
  const ims =
    client === "sdk" ? await createIceSdk(sdkOptions) : createIms(createRpc({ ...rpc, version: IMS_VERSION }));
  return {
    ...connection,
    ims,
    client,
    region: regionOf(endpoint),
    addressFlag:
      request.endpoint === undefined
        ? `--region (${request.region ?? DEFAULT_REGION})`
        : `--endpoint (${endpoint.origin})`,
    download: ({ allowHost, maxDocumentSize }) =>
      createDownload({
        dispatcher,
        allowHosts: allowHost ?? [],
        loopback: isLoopback(endpoint),
        maxBytes: maxDocumentSize,
        ...retry,
      }),
  };
};

/**
Connects to EventBridge. Credentials are fetched once, before any concurrent request.

@throws BadCredentials, UsageError
*/
export const connectEventBridge = async (
  request: EventBridgeRequest & { concurrency?: number },
  context: ConnectionContext,
): Promise<EventCloud> => {
  const { endpoint: address, region, regionFlag } = request;
  const endpoint = address === undefined ? endpointFor(region, "eventbridge-console") : parseEndpoint(address);
  const { connection, rpc } = await reach(request, endpoint, context);
  return {
    ...connection,
    eventBridge: createEventBridge(
      // As events in files are read, so that both ways give the same records.
      createRpc({ ...rpc, version: EVENTBRIDGE_VERSION, product: EVENTBRIDGE_PRODUCT, parse: parseExact }),
    ),
    addressFlag: address === undefined ? `${regionFlag} (${region})` : `--eventbridge-endpoint (${endpoint.origin})`,
  };
};

/** What the connections to all services have in common. */
export const reach = async (
  request: Pick<ConnectionRequest, "keys" | "profile" | "tps" | "retries" | "region"> & { concurrency?: number },
  endpoint: URL,
  context: ConnectionContext & { mayLackKeys?: boolean },
) => {
  const { host } = context;
  const fixed = request.keys;
  const keys = credentials({
    env: host.env,
    ...(request.profile && { profile: request.profile }),
    ...(fixed && { fixed }),
  });
  if (!context.mayLackKeys) await keys.get();
  const dispatcher = createDispatcher({ env: host.env, connections: Math.max(request.concurrency ?? 1, 4) });
  const rateLimiter = createRateLimiter({ tps: request.tps });
  const { onRetry, throttled } = createRetryReporter(context, rateLimiter.rate);
  const retry = { retries: request.retries, onRetry, budget: createRetryBudget() };
  const { region } = request;
  const identity = { dispatcher, endpoint, region, credentials: keys, userAgent: USER_AGENT, env: host.env };
  let account: Promise<string | undefined> | undefined;
  return {
    retry,
    rpc: { dispatcher, endpoint, credentials: keys, userAgent: USER_AGENT, rateLimiter, ...retry },
    connection: {
      endpoint,
      credentials: keys,
      place: placeOf(endpoint),
      account: () => (account ??= accountOf(identity)),
      serverTime: () => serverTime(dispatcher, endpoint),
      throttled,
      close: () => dispatcher.destroy(),
    },
  };
};

/** With a proxy `auto` is `builtin`, because the vendor's SDK does not support proxies. */
const chooseClient = async (client: CloudRequest["client"], host: Host): Promise<"sdk" | "builtin"> => {
  if (client !== "auto") return client;
  return proxyInUse(host.env) === undefined && (await iceSdkVersion()) !== undefined ? "sdk" : "builtin";
};

/** For `doctor`. */
export { iceSdkVersion, proxyInUse };
