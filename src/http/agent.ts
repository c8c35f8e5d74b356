import type { Dispatcher } from "undici";
import { type Env, proxies, proxyFor } from "./proxy.ts";
import { Agent, EnvHttpProxyAgent } from "./undici.ts";

export interface DispatcherOptions {
  env: Env;
  /** Most connections per host. @default 64 */
  connections?: number;
  /** Time to connect, in milliseconds. @default 10_000 */
  connectTimeoutMs?: number;
  /** From the request to the end of the headers, in milliseconds. @default 30_000 */
  headersTimeoutMs?: number;
  /** Longest pause between two pieces of a body, in milliseconds. @default 30_000 */
  bodyTimeoutMs?: number;
}

/** For each dispatcher, the proxy that it uses for a URL. */
const routes = new WeakMap<Dispatcher, (url: URL) => string | undefined>();

/** The dispatcher for all connections of a run. The caller closes it. @throws UsageError for an unusable proxy */
export const createDispatcher = ({
  env,
  connections = 64,
  connectTimeoutMs = 10_000,
  headersTimeoutMs = 30_000,
  bodyTimeoutMs = 30_000,
}: DispatcherOptions): Dispatcher => {
  const connect = { timeout: connectTimeoutMs };
  const options = { connections, connect, headersTimeout: headersTimeoutMs, bodyTimeout: bodyTimeoutMs };
  const proxy = proxies(env);
  if (!proxy) return new Agent(options);
  const dispatcher = new EnvHttpProxyAgent({
    ...options,
    httpsProxy: proxy.https,
    // An empty string, because undici reads process.env when it is absent.
    httpProxy: proxy.http ?? "",
    noProxy: proxy.noProxy,
    proxyTls: connect,
    requestTls: connect,
  });
  routes.set(dispatcher, (url) => proxyFor(proxy, url));
  return dispatcher;
};

/** Host and port of the proxy that this dispatcher uses for `url`, without user and password. */
export const proxyOf = (dispatcher: Dispatcher, url: URL): string | undefined => routes.get(dispatcher)?.(url);

/** Host and port of the proxy for https, without user and password. */
export const proxyInUse = (env: Env): string | undefined => {
  const https = proxies(env)?.https;
  return https && new URL(https).host;
};
