import { randomUUID } from "node:crypto";
import type { Dispatcher } from "undici";
import { Unavailable } from "../core/errors.ts";
import { isObject, type JsonObject } from "../core/transcript.ts";
import { proxyOf } from "../http/agent.ts";
import { readBody } from "../http/body.ts";
import { type RateLimiter, rateLimited } from "../http/rate-limiter.ts";
import { type RetryOptions, retryAfterMs, retrying } from "../http/retry.ts";
import { transportError, withTimeout } from "../http/transport.ts";
import type { Credentials } from "./credentials.ts";
import { checkedEndpoint } from "./endpoint.ts";
import { apiError } from "./errors.ts";
import { encodeForm, type Parameters, signedHeaders, toTexts } from "./signing.ts";

export interface RpcAnswer {
  body: JsonObject;
  requestId?: string;
}

export interface RpcCall {
  /** Parameters of a form body. @default none */
  body?: Parameters;
  signal?: AbortSignal | undefined;
  /** Limit of the answer, in bytes. @default 16_777_216 (16 MB) */
  maxBytes?: number;
}

/** Calls one API of the service. Rejects with an ArchiveError, or with the signal's reason. */
export type Rpc = (action: string, query: Parameters, options?: RpcCall) => Promise<RpcAnswer>;

export interface RpcOptions extends RetryOptions {
  dispatcher: Dispatcher;
  /** An https URL, or http to this machine. */
  endpoint: URL;
  credentials: Credentials;
  /** Version of the API, for example `2020-11-09`. */
  version: string;
  /** The service's name in RAM, for the policy in an error message. @default "ice" */
  product?: string;
  userAgent: string;
  /** Every attempt waits for its turn here. @default none */
  rateLimiter?: RateLimiter | undefined;
  /** Limit of one attempt after its turn, in milliseconds. @default 30_000 */
  timeoutMs?: number;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
  /** Unique per attempt. @default randomUUID */
  nonce?: () => string;
  /** Reads an answer. @default JSON.parse */
  parse?: (text: string) => unknown;
}

interface Attempt {
  action: string;
  query: Record<string, string>;
  body: string;
  maxBytes: number;
}

/** Default limit of an answer, in bytes. */
export const ANSWER_BYTES = 16 * 1024 * 1024;

/** The id that a request asks for, for messages. */
export const itemOf = ({
  InstanceId,
  AIAgentId,
  EventId,
  AgentName,
  TaskId,
  VideoId,
}: Readonly<Record<string, unknown>>): string | undefined =>
  [InstanceId, AIAgentId, EventId, AgentName, TaskId, VideoId].find((id) => typeof id === "string") as
    | string
    | undefined;

const firstValue = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

/** The wait that the service asks for, in milliseconds. Its own header has milliseconds, the standard one seconds. */
const retryAfterOf = (headers: Dispatcher.ResponseData["headers"], now: number): number | undefined => {
  const serviceMs = Number(firstValue(headers["x-acs-retry-after"]));
  return retryAfterMs(serviceMs > 0 ? String(serviceMs / 1000) : firstValue(headers["retry-after"]), now);
};

const objectIn = (text: string, parse: (text: string) => unknown): JsonObject | undefined => {
  try {
    const value = parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Some services answer an error with status 200. A message alone is none: their examples of success have one. */
const isRefusal = ({ Success, Code }: JsonObject): boolean =>
  Success === false ||
  (Success === undefined && textOf(Code) !== undefined && !/^(200|Success|OK)$/i.test(String(Code)));

/** A text that is not empty; undefined for anything else. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** A client of the RPC protocol: POST /, parameters in the query, ACS3-HMAC-SHA256, JSON answers. */
export const createRpc = ({
  dispatcher,
  endpoint,
  credentials,
  version,
  product = "ice",
  userAgent,
  timeoutMs = 30_000,
  rateLimiter,
  now = Date.now,
  nonce = randomUUID,
  parse = JSON.parse,
  ...retry
}: RpcOptions): Rpc => {
  const { host, origin } = checkedEndpoint(endpoint);

  const attempt = async ({ action, query, body, maxBytes }: Attempt, signal: AbortSignal) => {
    const key = await credentials.get();
    const headers = signedHeaders({
      host,
      action,
      version,
      userAgent,
      query,
      body,
      key,
      at: now(),
      nonce: nonce(),
    });
    const path = `/?${encodeForm(query)}`;
    const answer = await dispatcher
      .request({ origin, path, method: "POST", headers, body: body || null, signal })
      .catch((error: unknown) => {
        throw transportError(error, host, "answer", proxyOf(dispatcher, endpoint));
      });
    const raw = await readBody(answer.body, answer.headers["content-length"], maxBytes, host).catch(
      (error: unknown) => {
        // Without this handler, destroying an unread body is an unhandled error.
        answer.body.on("error", () => undefined).destroy();
        throw transportError(error, host, "body");
      },
    );
    const parsed = objectIn(raw.toString("utf8"), parse);
    const requestId = textOf(parsed?.RequestId) ?? firstValue(answer.headers["x-acs-request-id"]);
    if (answer.statusCode === 200 && parsed && !isRefusal(parsed))
      return { body: parsed, ...(requestId && { requestId }) };
    if (answer.statusCode < 300 && !parsed)
      throw new Unavailable(`${host} answered with something that is not JSON.`, {
        code: "NotJson",
        status: answer.statusCode,
      });
    throw apiError(
      {
        code: textOf(parsed?.Code),
        message: textOf(parsed?.Message),
        recommend: textOf(parsed?.Recommend),
        status: answer.statusCode,
        requestId,
        retryAfterMs: retryAfterOf(answer.headers, now()),
        date: firstValue(answer.headers.date),
      },
      { product, action, host, now: now(), secrets: [key.accessKeyId, key.accessKeySecret, key.securityToken] },
    );
  };

  return (action, query, { body = {}, signal, maxBytes = ANSWER_BYTES } = {}) => {
    const call: Attempt = { action, query: toTexts(query), body: encodeForm(toTexts(body)), maxBytes };
    return retrying(
      () =>
        rateLimited(rateLimiter, signal, () => withTimeout(timeoutMs, host, signal, (inner) => attempt(call, inner))),
      { ...retry, request: { action, item: itemOf({ ...query, ...body }) } },
      signal,
    );
  };
};
