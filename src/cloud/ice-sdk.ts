import { createRequire } from "node:module";
import { Unavailable, UsageError } from "../core/errors.ts";
import type { Ims } from "../core/ports.ts";
import { isObject, type JsonObject } from "../core/transcript.ts";
import { tooLarge } from "../http/body.ts";
import { type RateLimiter, rateLimited } from "../http/rate-limiter.ts";
import { type RetryOptions, retryAfterMs, retrying } from "../http/retry.ts";
import { transportError, withTimeout } from "../http/transport.ts";
import { isLarger } from "./answer-size.ts";
import type { Credentials } from "./credentials.ts";
import { checkedEndpoint } from "./endpoint.ts";
import { apiError } from "./errors.ts";
import { createIms } from "./ims.ts";
import { ANSWER_BYTES, itemOf, type Rpc } from "./openapi.ts";

/** An optional peer: in a variable, so that neither compiler nor loader asks for it before it is wanted. */
const PACKAGE: string = "@alicloud/ice20201109";

type Answer = { headers?: Record<string, string>; body?: { toMap(): JsonObject } };
type RequestClass = { new (map: JsonObject): object; names(): Record<string, string> };
type Client = Record<string, (request: object) => Promise<Answer>>;
/** What is used of the package: the client as its default, and one class per request beside it. */
export type IceModule = { default: new (config: object) => Client } & Record<string, unknown>;

export interface IceSdkOptions extends RetryOptions {
  endpoint: URL;
  credentials: Credentials;
  userAgent: string;
  /** Every attempt waits for its turn. @default none */
  rateLimiter?: RateLimiter | undefined;
  /** One attempt from its turn on, in milliseconds. @default 30_000 */
  timeoutMs?: number;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
  /** The package, or what stands in for it. */
  load?: () => Promise<unknown>;
}

/** The version of the installed package, undefined when there is none. */
export const iceSdkVersion = async (): Promise<string | undefined> => {
  try {
    const found: unknown = createRequire(import.meta.url)(`${PACKAGE}/package.json`);
    return isObject(found) && typeof found.version === "string" ? found.version : undefined;
  } catch {
    return undefined;
  }
};

/** CommonJS under ESM: the module's `default` is its exports, and theirs is the client. Bundlers unwrap that once. */
const exportsOf = (loaded: unknown): IceModule => {
  const module = loaded as { default: IceModule };
  return typeof module.default === "function" ? (loaded as IceModule) : module.default;
};

/** The model's property of each wire name, as the package itself maps them. */
const toModel = (kind: RequestClass, query: Readonly<Record<string, unknown>>): JsonObject =>
  Object.fromEntries(
    Object.entries(kind.names()).flatMap(([property, wire]) =>
      query[wire] === undefined ? [] : [[property, query[wire] as string | number]],
    ),
  );

interface SdkError extends Error {
  code?: string;
  statusCode?: number;
  requestId?: string;
  retryAfter?: number;
  data?: { Message?: unknown; Recommend?: unknown };
}

/**
The Ims port over the vendor's `@alicloud/ice20201109`, with our retries and our errors.

A call that is aborted is left to end by itself: the package cannot take one back. Throws UsageError when the package
is not installed.
*/
export const createIceSdk = async ({
  endpoint,
  credentials,
  userAgent,
  rateLimiter,
  timeoutMs = 30_000,
  now = Date.now,
  load = () => import(PACKAGE),
  ...retry
}: IceSdkOptions): Promise<Ims> => {
  const { host, protocol } = checkedEndpoint(endpoint);
  const sdk = await load().then(exportsOf, () => {
    throw new UsageError(`${PACKAGE} cannot be loaded here: npm install ${PACKAGE}`);
  });
  const { $OpenApiUtil } = await import("@alicloud/openapi-core");
  const client = new sdk.default(
    new $OpenApiUtil.Config({
      credential: { getCredential: () => credentials.get() },
      endpoint: host,
      protocol: protocol === "https:" ? "HTTPS" : "HTTP",
      userAgent,
      readTimeout: timeoutMs,
      // In truth the socket's inactivity, 3 s unless told otherwise: too short for a long page of a list.
      connectTimeout: timeoutMs,
    }),
  );

  const toArchiveError = async (error: unknown, action: string): Promise<unknown> => {
    if (!(error instanceof Error)) return error;
    const { name, statusCode, code, requestId, retryAfter, data } = error as SdkError;
    // HTML or nothing where JSON should be: a gateway's 502. The parser's message quotes it, ours does not.
    if (error instanceof SyntaxError)
      return new Unavailable(`${host} answered with something that is not JSON.`, { code: "NotJson" });
    if (name.startsWith("RequestTimeout"))
      return new Unavailable(`${host} did not answer in time.`, { code: "Timeout" });
    if (statusCode === undefined) return transportError(error, host);
    const key = await credentials.get();
    return apiError(
      {
        code: code === "undefined" ? undefined : code,
        message: typeof data?.Message === "string" ? data.Message : undefined,
        recommend: typeof data?.Recommend === "string" ? data.Recommend : undefined,
        status: statusCode,
        requestId: requestId === "undefined" ? undefined : requestId,
        // In milliseconds, whatever the service sent: held to what every other wait is held to.
        retryAfterMs: retryAfterMs(retryAfter && retryAfter > 0 ? String(retryAfter / 1000) : undefined, now()),
      },
      {
        product: "ice",
        action,
        host,
        now: now(),
        secrets: [key.accessKeyId, key.accessKeySecret, key.securityToken],
      },
    );
  };

  /**
  Held to the same size as our own client's answers, as far as it can be: the package reads and parses the whole body before
  it gives anything back, and takes no limit, so that memory for one answer is bounded by its `readTimeout` alone. What is
  capped is what goes on from here: into the ledger, the archive and messages.
  */
  const limitSize = (answer: Answer | undefined, limit: number): JsonObject => {
    if (Number(answer?.headers?.["content-length"]) > limit) throw tooLarge(host, limit);
    const body = answer?.body?.toMap() ?? {};
    if (isLarger(body, limit)) throw tooLarge(host, limit);
    return body;
  };

  const attempt = async (action: string, query: Readonly<Record<string, unknown>>, maxBytes: number) => {
    const kind = sdk[`${action}Request`] as RequestClass;
    const method = action.charAt(0).toLowerCase() + action.slice(1);
    const answer = await client[method]?.(new kind(toModel(kind, query))).catch(async (error: unknown) => {
      throw await toArchiveError(error, action);
    });
    const body = limitSize(answer, maxBytes);
    const requestId = typeof body.RequestId === "string" ? body.RequestId : answer?.headers?.["x-acs-request-id"];
    return { body, ...(requestId && { requestId }) };
  };

  const rpc: Rpc = (action, query, { signal, maxBytes = ANSWER_BYTES } = {}) =>
    retrying(
      () =>
        rateLimited(rateLimiter, signal, () =>
          withTimeout(timeoutMs, host, signal, (inner) =>
            Promise.race([attempt(action, query, maxBytes), rejectOnAbort(inner)]),
          ),
        ),
      { ...retry, request: { action, item: itemOf(query) } },
      signal,
    );
  return createIms(rpc);
};

const rejectOnAbort = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
