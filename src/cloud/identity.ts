import type { Dispatcher } from "undici";
import { isLoopback } from "../http/hosts.ts";
import type { Env } from "../http/proxy.ts";
import type { Credentials } from "./credentials.ts";
import { endpointFor, regionOf } from "./endpoint.ts";
import { createRpc } from "./openapi.ts";

const STS_VERSION = "2015-04-01";
/** How long a run waits for the account of its credentials, in milliseconds. */
const TIMEOUT_MS = 3_000;

export interface IdentityOptions {
  dispatcher: Dispatcher;
  /** The endpoint of the service in use. */
  endpoint: URL;
  region?: string | undefined;
  credentials: Credentials;
  userAgent: string;
  /** Only used for the role's ARN. */
  env: Env;
  /** @default 3_000 */
  timeoutMs?: number;
}

/**
The account of the credentials in use, from the role's ARN or else from STS, where every user may ask for it.

Undefined when neither knows it. Never rejects.
*/
export const accountOf = async (options: IdentityOptions): Promise<string | undefined> => {
  const { dispatcher, endpoint, region, credentials, userAgent, env, timeoutMs = TIMEOUT_MS } = options;
  try {
    const { provider } = await credentials.get();
    const role = /^acs:ram::(\d+):role\//i.exec(env.ALIBABA_CLOUD_ROLE_ARN ?? "")?.[1];
    // Other sources of credentials do not use this variable.
    if (role && provider === "default/oidc_role_arn") return role;
    const sts = stsFor(endpoint, region);
    if (!sts) return undefined;
    const rpc = createRpc({
      ...{ dispatcher, endpoint: sts, credentials, userAgent, timeoutMs },
      version: STS_VERSION,
      product: "sts",
      retries: 0,
    });
    const { AccountId: account } = (await rpc("GetCallerIdentity", {})).body;
    return typeof account === "string" && /^\d{1,32}$/.test(account) ? account : undefined;
  } catch {
    return undefined;
  }
};

/** The STS endpoint: in the region of the service's endpoint; on this machine, the emulator itself. */
export const stsFor = (endpoint: URL, region?: string): URL | undefined => {
  if (isLoopback(endpoint)) return endpoint;
  if (endpoint.host === "ice.aliyuncs.com") return new URL("https://sts.aliyuncs.com");
  const named = regionOf(endpoint) ?? region;
  return named === undefined ? undefined : endpointFor(named, "sts");
};

/** The name of a cloud in the archive: the endpoint's host; all ports of this machine have one name. */
export const placeOf = (endpoint: URL): string => (isLoopback(endpoint) ? LOOPBACK : endpoint.host);

export const LOOPBACK = "loopback";
