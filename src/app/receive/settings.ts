import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { messageOf, UsageError } from "../../core/errors.ts";
import { isLoopback } from "../../http/hosts.ts";
import type { AppContext } from "../context.ts";
import type { ReceiveRequest } from "../record-requests.ts";
import type { Rules } from "./event-deliveries.ts";

/** What the server that the caller provides needs to know. */
export interface ServerSettings {
  host: string;
  port: number;
  tls?: { cert: Buffer; key: Buffer };
  requestTimeoutMs: number;
}

/** A host as it stands in a URL: an IPv6 address in brackets. */
export const hostInUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** Checks the request, and reads its files. @throws UsageError */
export const settingsOf = (request: ReceiveRequest, { host }: AppContext) => {
  const {
    path,
    callbackPath,
    tlsCert,
    tlsKey,
    publicUrl,
    certificateUrl,
    insecureNoSignature = false,
    requestTimeout,
  } = request;
  const address = `http://${hostInUrl(request.host)}`;
  if (!URL.canParse(address)) throw new UsageError(`--host ${request.host} is not a host.`);
  const local = isLoopback(new URL(address));
  for (const [flag, each] of [
    ["--path", path],
    ["--callback-path", callbackPath],
  ] as const)
    if (!/^\/[\w./-]*$/.test(each) || each === "/healthz" || each === "/metrics")
      throw new UsageError(`${flag} begins with / and has letters, digits and . _ - / only; not /healthz or /metrics.`);
  if (path === callbackPath) throw new UsageError("--path and --callback-path must differ.");
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new UsageError("--tls-cert and --tls-key go together.");
  const token = tokenOf(request.tokenFile, "CALLARCHIVE_RECEIVE_TOKEN", host);
  const callbackToken = tokenOf(request.callbackTokenFile, "CALLARCHIVE_CALLBACK_TOKEN", host);
  // Who names only the token of callbacks wants no events.
  const takesEvents =
    callbackToken === undefined || token !== undefined || publicUrl !== undefined || certificateUrl !== undefined;
  if (insecureNoSignature && !(local && token !== undefined))
    throw new UsageError("--insecure-no-signature needs a token, and a --host on loopback.");
  if (takesEvents && !insecureNoSignature && !local && publicUrl === undefined)
    throw new UsageError("--public-url is missing: the address that EventBridge posts to, which its signature covers.");
  if (publicUrl !== undefined && !/^https?:\/\/[^\s#@]+$/.test(publicUrl))
    throw new UsageError("--public-url is the http or https address as it stands in the HTTP target of EventBridge.");
  if (certificateUrl !== undefined && !(local && URL.canParse(certificateUrl) && isLoopback(new URL(certificateUrl))))
    throw new UsageError("--certificate-url is for tests: it and --host must be on loopback.");
  const read = (file: string): Buffer => readSetting(file, host.cwd);
  const tls = tlsCert !== undefined && tlsKey !== undefined ? { cert: read(tlsCert), key: read(tlsKey) } : undefined;
  const server: ServerSettings = {
    host: request.host,
    port: request.port,
    requestTimeoutMs: requestTimeout * 1000,
    ...(tls && { tls }),
  };
  const warnings = [
    takesEvents &&
      token === undefined &&
      "There is no token: any account of EventBridge can deliver to this address. Set one in the HTTP target, and name it with --token-file.",
    !local && !tls && "This address is not on loopback and has no TLS: conversations travel unencrypted up to here.",
  ].filter((text) => text !== false);
  return { server, token, callbackToken, takesEvents, warnings };
};

const readSetting = (file: string, cwd: string): Buffer => {
  try {
    return readFileSync(resolve(cwd, file));
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${messageOf(error)}.`);
  }
};

/** @throws UsageError */
const tokenOf = (
  tokenFile: string | undefined,
  variable: "CALLARCHIVE_RECEIVE_TOKEN" | "CALLARCHIVE_CALLBACK_TOKEN",
  { cwd, env }: AppContext["host"],
): string | undefined => {
  const text = tokenFile === undefined ? env[variable] : readSetting(tokenFile, cwd).toString();
  const token = text?.trim();
  if (tokenFile !== undefined && token === "") throw new UsageError(`The token in ${tokenFile} is empty.`);
  // Else it would never be equal to what a header carries.
  if (token && !/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(token))
    throw new UsageError(
      "The token has characters that a header cannot carry: use letters, digits and signs of ASCII.",
    );
  return token || undefined;
};

export const rulesOf = (
  { publicUrl, insecureNoSignature, chatsRegion, certificateUrl, tokenHeader }: ReceiveRequest,
  ownAddress: () => string,
  token: string | undefined,
): Rules => {
  const officialHost = `${chatsRegion}-eventbridge.oss-accelerate.aliyuncs.com`;
  return {
    address: insecureNoSignature ? undefined : () => publicUrl ?? ownAddress(),
    token: token === undefined ? undefined : { header: tokenHeader.toLowerCase(), value: token },
    mayTrust: (text) => {
      if (certificateUrl !== undefined) return text === certificateUrl;
      if (text.length > 1024 || !URL.canParse(text)) return false;
      const { protocol, host, username, password } = new URL(text);
      return protocol === "https:" && host === officialHost && username === "" && password === "";
    },
  };
};
