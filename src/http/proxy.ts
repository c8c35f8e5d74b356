import { UsageError } from "../core/errors.ts";

export type Env = Readonly<Record<string, string | undefined>>;

export interface Proxies {
  https: string;
  http?: string;
  /** Comma-separated; loopback is always in it. */
  noProxy: string;
}

/** The same rule as in curl: the lower-case name comes first, and an empty value counts as unset. */
const readVariable = (env: Env, name: string): { name: string; text: string } | undefined => {
  for (const spelling of [name.toLowerCase(), name]) {
    const text = env[spelling]?.trim();
    if (text) return { name: spelling, text };
  }
  return undefined;
};

const proxyUrl = (env: Env, variable: string): string | undefined => {
  const found = readVariable(env, variable);
  if (!found) return undefined;
  const { name, text } = found;
  // "proxy:3128" is common, but as a URL its scheme would be "proxy".
  const address = text.includes("://") ? text : `http://${text}`;
  // The value may hold a password, so it is not shown.
  if (!URL.canParse(address)) throw new UsageError(`${name} is not a proxy address like http://proxy.example:3128.`);
  const { protocol } = new URL(address);
  if (protocol !== "http:" && protocol !== "https:")
    throw new UsageError(
      `${name} names a ${protocol.slice(0, -1)} proxy; only HTTP proxies are supported, like http://proxy.example:3128.`,
    );
  return address;
};

/** The proxies of the environment. @throws UsageError that names the variable of an unusable proxy */
export const proxies = (env: Env): Proxies | undefined => {
  const noProxy = readVariable(env, "NO_PROXY")?.text ?? "";
  if (noProxy === "*") return undefined;
  const http = proxyUrl(env, "HTTP_PROXY");
  const https = proxyUrl(env, "HTTPS_PROXY") ?? http;
  if (!https) return undefined;
  // Requests to loopback may be plain http, so they must not leave this machine.
  return { https, ...(http && { http }), noProxy: [noProxy, "localhost,127.0.0.1,[::1]"].filter(Boolean).join(",") };
};

/** Host and port of the proxy for a request to the URL, by the rules of undici's EnvHttpProxyAgent. */
export const proxyFor = ({ https, http, noProxy }: Proxies, { protocol, hostname, port }: URL): string | undefined => {
  const number = port || (protocol === "https:" ? "443" : "80");
  const direct = noProxy
    .split(/[,\s]/)
    .filter(Boolean)
    .some((entry) => {
      const [, host = entry, onlyPort = number] = /^(.+):(\d+)$/.exec(entry) ?? [];
      const name = host.replace(/^\*?\./, "").toLowerCase();
      return onlyPort === number && (hostname === name || hostname.endsWith(`.${name}`));
    });
  const proxy = protocol === "https:" ? https : http;
  return direct || proxy === undefined ? undefined : new URL(proxy).host;
};
