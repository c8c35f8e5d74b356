import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import { UsageError } from "../core/errors.ts";

export type Env = Readonly<Record<string, string | undefined>>;

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

interface Proxies {
  https?: string;
  http?: string;
  noProxy: string;
}

/** curl's rule: the lower-case name wins; an empty one counts as unset. */
const read = (env: Env, name: string): string | undefined => env[name.toLowerCase()]?.trim() || env[name]?.trim();

const proxyUrl = (env: Env, name: string): string | undefined => {
  const text = read(env, name);
  if (!text) return undefined;
  // "proxy:3128" is usual in the wild and, as a URL, would have the scheme "proxy".
  const full = text.includes("://") ? text : `http://${text}`;
  // The value may hold a password, so it is not shown.
  if (!URL.canParse(full)) throw new UsageError(`${name} is not a proxy address like http://proxy.example:3128.`);
  return full;
};

const proxies = (env: Env): Proxies | undefined => {
  const noProxy = read(env, "NO_PROXY") ?? "";
  if (noProxy === "*") return undefined;
  const http = proxyUrl(env, "HTTP_PROXY");
  const https = proxyUrl(env, "HTTPS_PROXY") ?? http;
  if (!https) return undefined;
  // Loopback may be spoken to in plain http, so it must never leave this machine.
  return { https, ...(http && { http }), noProxy: [noProxy, "localhost,127.0.0.1,[::1]"].filter(Boolean).join(",") };
};

/** Every connection of the program. Close it when the run ends. Throws UsageError for a malformed proxy variable. */
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
  return new EnvHttpProxyAgent({
    ...options,
    httpsProxy: proxy.https ?? "",
    // Empty, not absent: undici would otherwise look into process.env by itself.
    httpProxy: proxy.http ?? "",
    noProxy: proxy.noProxy,
    proxyTls: connect,
    requestTls: connect,
  });
};

/** Host and port of the proxy that https goes through, never its user or password. */
export const proxyInUse = (env: Env): string | undefined => {
  const https = proxies(env)?.https;
  return https && new URL(https).host;
};
