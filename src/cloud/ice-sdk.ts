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

/** An optional peer dependency. In a variable, so that compiler and bundler do not require it. */
const PACKAGE: string = "@alicloud/ice20201109";

type Answer = { headers?: Record<string, string>; body?: { toMap(): JsonObject } };
type RequestClass = { new (map: JsonObject): object; names(): Record<string, string> };
type Client = Record<string, (request: object) => Promise<Answer>>;
/** The used exports of the package: the client as default, and a class for each request. */
export type IceModule = { default: new (config: object) => Client } & Record<string, unknown>;

export interface IceSdkOptions extends RetryOptions {
  endpoint: URL;
  credentials: Credentials;
  userAgent: string;
  /** Every attempt waits for its turn here. @default none */
  rateLimiter?: RateLimiter | undefined;
  /** Limit of one attempt after its turn, in milliseconds. @default 30_000 */
  timeoutMs?: number;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
  /** Loads the package; tests replace it. */
  load?: () => Promise<unknown>;
}

/** The version of the installed package; undefined when it is not installed. */
export const iceSdkVersion = async (): Promise<string | undefined> => {
  try {
    const found: unknown = createRequire(import.meta.url)(`${PACKAGE}/package.json`);
    return isObject(found) && typeof found.version === "string" ? found.version : undefined;
  } catch {
    return undefined;
  }
};

/** The exports of a CommonJS module: Node puts them under `default`, bundlers do not. */
const exportsOf = (loaded: unknown): IceModule => {
  const module = loaded as { default: IceModule };
  return typeof module.default === "function" ? (loaded as IceModule) : module.default;
};

/** The query with the package's property names instead of the API's parameter names. */
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

An aborted call still runs to its end, because the package cannot cancel it; its result is ignored.

@throws UsageError when the package is not installed
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
    throw new UsageError(`${PACKAGE} cannot be loaded. Install it: npm install ${PACKAGE}`);
  });
  const { $OpenApiUtil } = await import("@alicloud/openapi-core");
  const client = new sdk.default(
    new $OpenApiUtil.Config({
      credential: { getCredential: () => credentials.get() },
      endpoint: host,
      protocol: protocol === "https:" ? "HTTPS" : "HTTP",
      userAgent,
      readTimeout: timeoutMs,
      // It limits the socket's inactivity, by default to 3 s, which is too short for a long page of list.
      connectTimeout: timeoutMs,
    }),
  );

  const toArchiveError = async (error: unknown, action: string): Promise<unknown> => {
    if (!(error instanceof Error)) return error;
    const { name, statusCode, code, requestId, retryAfter, data } = error as SdkError;
    // The answer is not JSON, as from a gateway's 502. The parser's message quotes it, so ours replaces it.
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
        // The package converts it to milliseconds; the same limit applies as for every other wait.
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
  The body of an answer, with the same size limit as in our own client. The package reads and parses the complete body
  first and takes no limit, so only its `readTimeout` bounds the memory. The limit protects what comes after: ledger,
  archive and messages.
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
