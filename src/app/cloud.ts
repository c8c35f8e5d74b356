import { serverTime } from "../cloud/clock.ts";
import { type Credentials, credentials } from "../cloud/credentials.ts";
import { endpointFor, parseEndpoint, regionOf } from "../cloud/endpoint.ts";
import { createIceSdk, iceSdkVersion } from "../cloud/ice-sdk.ts";
import { accountOf, placeOf } from "../cloud/identity.ts";
import { createIms, IMS_VERSION } from "../cloud/ims.ts";
import { createRpc } from "../cloud/openapi.ts";
import type { Download, Ims } from "../core/ports.ts";
import { DEFAULT_REGION } from "../core/region.ts";
import { createDispatcher, proxyInUse } from "../http/agent.ts";
import { createDownload } from "../http/download.ts";
import { isLoopback } from "../http/hosts.ts";
import { createRateLimiter } from "../http/rate-limiter.ts";
import { createRetryBudget } from "../http/retry.ts";
import type { AppContext, Host } from "./context.ts";
import type { CloudRequest, ConnectionRequest } from "./requests.ts";
import { createRetryReporter } from "./retries.ts";
import { USER_AGENT } from "./version.ts";

export interface Cloud {
  ims: Ims;
  endpoint: URL;
  /** Undefined if the endpoint's name does not contain it. */
  region: string | undefined;
  /** The flag that sets the address of the service, with its value, for messages. */
  addressFlag: string;
  client: "sdk" | "builtin";
  credentials: Credentials;
  /** Identifies the cloud: the endpoint's host, or `loopback`. */
  place: string;
  /** The account of the credentials, requested once; undefined if there is no answer within some seconds. */
  account(): Promise<string | undefined>;
  /** The service's clock, to the second; undefined if its answer has no time. */
  serverTime(): Promise<Date | undefined>;
  download(limits: Pick<CloudRequest, "allowHost" | "maxDocumentSize">): Download;
  /** How many requests were throttled and repeated so far. */
  throttled(): number;
  close(): Promise<void>;
}

/**
Connects to the service. Credentials are fetched once, before any concurrent request.

@throws BadCredentials, UsageError
*/
export const connect = async (
  request: ConnectionRequest & Partial<Pick<CloudRequest, "concurrency">>,
  context: Pick<AppContext, "host" | "log" | "retries">,
): Promise<Cloud> => {
  const { host } = context;
  const fixed = request.keys;
  const endpoint = request.endpoint === undefined ? endpointFor(request.region) : parseEndpoint(request.endpoint);
  const keys = credentials({
    env: host.env,
    ...(request.profile && { profile: request.profile }),
    ...(fixed && { fixed }),
  });
  await keys.get();
  const dispatcher = createDispatcher({ env: host.env, connections: Math.max(request.concurrency ?? 1, 4) });
  const rateLimiter = createRateLimiter({ tps: request.tps });
  const { onRetry, throttled } = createRetryReporter(context, rateLimiter.rate);
  const retry = { retries: request.retries, onRetry, budget: createRetryBudget() };
  const rpc = { endpoint, credentials: keys, userAgent: USER_AGENT, rateLimiter, ...retry };
  const client = await chooseClient(request.client, host);
  const ims =
    client === "sdk" ? await createIceSdk(rpc) : createIms(createRpc({ dispatcher, version: IMS_VERSION, ...rpc }));
  const { region } = request;
  const identity = { dispatcher, endpoint, region, credentials: keys, userAgent: USER_AGENT, env: host.env };
  let account: Promise<string | undefined> | undefined;
  return {
    ims,
    endpoint,
    region: regionOf(endpoint),
    addressFlag:
      request.endpoint === undefined
        ? `--region (${request.region ?? DEFAULT_REGION})`
        : `--endpoint (${endpoint.origin})`,
    place: placeOf(endpoint),
    account: () => (account ??= accountOf(identity)),
    client,
    credentials: keys,
    serverTime: () => serverTime(dispatcher, endpoint),
    download: ({ allowHost, maxDocumentSize }) =>
      createDownload({
        dispatcher,
        allowHosts: allowHost ?? [],
        loopback: isLoopback(endpoint),
        maxBytes: maxDocumentSize,
        ...retry,
      }),
    throttled,
    close: () => dispatcher.destroy(),
  };
};

/** With a proxy `auto` is `builtin`, because the vendor's SDK does not support proxies. */
const chooseClient = async (client: CloudRequest["client"], host: Host): Promise<"sdk" | "builtin"> => {
  if (client !== "auto") return client;
  return proxyInUse(host.env) === undefined && (await iceSdkVersion()) !== undefined ? "sdk" : "builtin";
};

/** For `doctor`. */
export { iceSdkVersion, proxyInUse };
