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
  /** Undefined where the endpoint's name does not say. */
  region: string | undefined;
  /** The flag that says where the service is, and its value: for messages. */
  addressFlag: string;
  /** `sdk` or `builtin`. */
  client: "sdk" | "builtin";
  credentials: Credentials;
  /** Tells one cloud from another: the endpoint's host, or that it is this machine. */
  place: string;
  /** Of the credentials; undefined when it cannot be known within some seconds. Asked once. */
  account(): Promise<string | undefined>;
  /** The service's clock, to the second; undefined when its answer names no time. */
  serverTime(): Promise<Date | undefined>;
  download(limits: Pick<CloudRequest, "allowHost" | "maxDocumentSize">): Download;
  /** How many requests were throttled and tried again so far. */
  throttled(): number;
  close(): Promise<void>;
}

/**
The service, asked for credentials once before anything runs side by side.

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

/** The vendor's SDK knows no proxy. */
const chooseClient = async (wanted: CloudRequest["client"], host: Host): Promise<"sdk" | "builtin"> => {
  if (wanted !== "auto") return wanted;
  return proxyInUse(host.env) === undefined && (await iceSdkVersion()) !== undefined ? "sdk" : "builtin";
};

/** For `doctor`: what there is to choose from. */
export { iceSdkVersion, proxyInUse };
