import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import { type Env, proxies, proxyFor } from "./proxy.ts";

export interface DispatcherOptions {
  env: Env;
  /** Sockets per host. @default 64 */
  connections?: number;
  /** In milliseconds. @default 10_000 */
  connectTimeoutMs?: number;
  /** From the request to the whole header, in milliseconds. @default 30_000 */
  headersTimeoutMs?: number;
  /** Between two pieces of a body, in milliseconds. @default 30_000 */
  bodyTimeoutMs?: number;
}

/** Which proxy a dispatcher of ours takes to an address. */
const routes = new WeakMap<Dispatcher, (url: URL) => string | undefined>();

/** Every connection of the program. Close it when the run ends. Throws UsageError for a proxy that cannot be used. */
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
    // Empty, not absent: undici would otherwise look into process.env by itself.
    httpProxy: proxy.http ?? "",
    noProxy: proxy.noProxy,
    proxyTls: connect,
    requestTls: connect,
  });
  routes.set(dispatcher, (url) => proxyFor(proxy, url));
  return dispatcher;
};

/** Host and port of the proxy that this dispatcher takes to `url`, never its user or password. */
export const proxyOf = (dispatcher: Dispatcher, url: URL): string | undefined => routes.get(dispatcher)?.(url);

/** Host and port of the proxy that https goes through, never its user or password. */
export const proxyInUse = (env: Env): string | undefined => {
  const https = proxies(env)?.https;
  return https && new URL(https).host;
};
