import { setMaxListeners } from "node:events";
import { ArchiveError, CutShort, Unavailable } from "../core/errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "its name is not known to DNS",
  EAI_AGAIN: "its name could not be looked up",
  ECONNREFUSED: "it refuses connections",
  ECONNRESET: "it reset the connection",
  EPIPE: "it reset the connection",
  ETIMEDOUT: "it did not answer in time",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no route to it",
  UND_ERR_CONNECT_TIMEOUT: "no connection was made in time",
  UND_ERR_HEADERS_TIMEOUT: "it did not answer in time",
  UND_ERR_BODY_TIMEOUT: "it stopped sending",
  UND_ERR_SOCKET: "it closed the connection",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "it sent less or more than it announced",
  UND_ERR_HEADERS_OVERFLOW: "the headers of its answer are too long",
  MalformedAnswer: "its answer is not valid HTTP",
};

/** The code of HTTP parser errors. undici gives most of them no code. */
const MALFORMED = "MalformedAnswer";
const isMalformed = (error: Error): boolean =>
  error.name === "HTTPParserError" || String((error as { code?: unknown }).code).startsWith("HPE_");

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|CRL|ALTNAME/;
const TLS = /^(ERR_SSL|ERR_TLS|EPROTO|UND_ERR_PRX_TLS)/;
/** Programming errors: a retry does not help. */
const BUGS = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED", "UND_ERR_DESTROYED", "UND_ERR_CLOSED"]);

const codeOf = (error: Error): string | undefined => {
  if (isMalformed(error)) return MALFORMED;
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && code !== "") return code;
  return error.cause instanceof Error ? codeOf(error.cause) : undefined;
};

const explain = (code: string, host: string, message: string, proxy: string | undefined): string => {
  const proxyStatus = /Proxy response \((\d{3})\)/.exec(message)?.[1];
  if (proxyStatus === "407")
    return `The proxy${proxySuffix(proxy)} requires authentication (HTTP 407). Set HTTPS_PROXY to http://user:password@host:port.`;
  if (proxyStatus) return `The proxy${proxySuffix(proxy)} refuses to connect to ${host} (HTTP ${proxyStatus}).`;
  const via = proxy === undefined ? "" : ` through proxy ${proxy}`;
  if (CERTIFICATE.test(code))
    return `The TLS certificate of ${host}${via} cannot be verified (${code}). If a proxy inspects TLS here, name its CA in NODE_EXTRA_CA_CERTS.`;
  if (TLS.test(code)) return `No TLS connection to ${host}${via} could be made (${code}).`;
  if (code === MALFORMED) return `The answer of ${host}${via} is not valid HTTP. A proxy may have changed it.`;
  return `${host} cannot be reached${via}: ${REASONS[code] ?? "the connection failed"} (${code}).`;
};

const proxySuffix = (proxy: string | undefined): string => (proxy === undefined ? "" : ` ${proxy}`);

/**
Turns an error of the network into `Unavailable`, or into `CutShort` after a body has begun. The message names the
host, never the full address.

Any other error is returned unchanged.

@param proxy host and port of the request's proxy, for the message
*/
export const transportError = (
  error: unknown,
  host: string,
  phase: "answer" | "body" = "answer",
  proxy?: string,
): unknown => {
  if (!(error instanceof Error) || error instanceof ArchiveError) return error;
  const code = codeOf(error);
  if (code === undefined || BUGS.has(code)) return error;
  const bodyBegan = phase === "body" && !/TIMEOUT|TIMEDOUT/.test(code);
  if (bodyBegan || code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH")
    return new CutShort(`The answer of ${host} ended early: ${REASONS[code] ?? "the connection failed"} (${code}).`, {
      code,
    });
  return new Unavailable(explain(code, host, error.message, proxy), { code });
};

/** Runs `work` with a signal that aborts with `signal`, or after `ms` milliseconds with `Unavailable`. */
export const withTimeout = <T>(
  ms: number,
  host: string,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const timeoutError = (): Unavailable =>
    new Unavailable(`${host} took longer than ${ms / 1000} s.`, { code: "Timeout" });
  return withDeadline(ms, timeoutError, signal, work);
};

/**
Runs `work` with a signal that aborts with `signal`, or after `ms` milliseconds with `timeoutError`.

@param work its second argument starts the milliseconds again
*/
export const withDeadline = async <T>(
  ms: number,
  timeoutError: () => Error,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal, extend: () => void) => Promise<T>,
): Promise<T> => {
  signal?.throwIfAborted();
  // Not AbortSignal.any: on Node 20 it keeps its memory until the outer signal is collected.
  const controller = new AbortController();
  // All requests of a run share one signal, and Node warns on stderr from the eleventh listener on.
  if (signal) setMaxListeners(0, signal);
  const follow = (): void => controller.abort(signal?.reason);
  signal?.addEventListener("abort", follow, { once: true });
  // The error is created only when needed: it is more expensive than the timer.
  const timer = setTimeout(() => controller.abort(timeoutError()), ms);
  try {
    return await work(controller.signal, () => timer.refresh());
  } catch (error) {
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", follow);
  }
};
