import { hash } from "node:crypto";
import type { Dispatcher } from "undici";
import {
  type ArchiveError,
  type ErrorFacts,
  LinkExpired,
  NotFound,
  Refused,
  Throttled,
  Unavailable,
  withoutQuery,
} from "../core/errors.ts";
import type { Download } from "../core/ports.ts";
import type { Document } from "../core/records.ts";
import { proxyOf } from "./agent.ts";
import { checkMd5, decode, readBody, readStart } from "./body.ts";
import { whyNotAllowed } from "./hosts.ts";
import { type RetryOptions, retryAfterMs, retrying } from "./retry.ts";
import { transportError, withTimeout } from "./transport.ts";

export interface DownloadOptions extends RetryOptions {
  dispatcher: Dispatcher;
  /** Hosts besides *.aliyuncs.com: exact, or `*.suffix`. @default [] */
  allowHosts?: readonly string[];
  /** Whether links to this machine are allowed: only when the endpoint is on it too. @default false */
  loopback?: boolean;
  /** Limit for a document, both as sent and decoded. @default 67_108_864 (64 MB) */
  maxBytes?: number;
  /** One attempt, from connecting to the last byte, in milliseconds. @default 120_000 */
  totalTimeoutMs?: number;
  /** Milliseconds since 1970, for Retry-After dates. @default Date.now */
  now?: () => number;
}

const MAX_REDIRECTS = 3;
const ERROR_PAGE_BYTES = 16 * 1024;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

const firstValue = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

/** The text of the first element with this name. The XML is not trusted and not parsed. */
const xmlElement = (xml: string, name: string): string =>
  new RegExp(`<${name}>([^<]{0,300})</${name}>`).exec(xml)?.[1] ?? "";

const forbidden = (reason: string): Refused => new Refused(`Not downloaded: ${reason}.`, { code: "ForbiddenHost" });

const responseError = (url: URL, status: number, page: string, facts: Omit<ErrorFacts, "code">): ArchiveError => {
  const xmlCode = xmlElement(page, "Code");
  const code = /^[\w.-]{1,64}$/.test(xmlCode) ? xmlCode : `HTTP${status}`;
  const errorFacts = { ...facts, code };
  const place = withoutQuery(url);
  if (status === 429) return new Throttled(`${url.host} asks to slow down (${code}).`, errorFacts);
  if (status === 408 || status >= 500)
    return new Unavailable(`${url.host} failed temporarily (${code}, HTTP ${status}).`, errorFacts);
  // A link also expires with the temporary key that signed it.
  if (/expired/i.test(code) || (status === 403 && /expired/i.test(xmlElement(page, "Message"))))
    return new LinkExpired(`The link to ${place} has expired.`, errorFacts);
  if (status === 404 && code === "NoSuchKey") return new NotFound(`There is no document at ${place}.`, errorFacts);
  return new Refused(`${url.host} refused to send ${place} (${code}, HTTP ${status}).`, errorFacts);
};

/** Creates the download for all documents: only from allowed hosts, and complete or not at all. */
export const createDownload = ({
  dispatcher,
  allowHosts = [],
  loopback = false,
  maxBytes = 64 * 1024 * 1024,
  totalTimeoutMs = 120_000,
  now = Date.now,
  ...retry
}: DownloadOptions): Download => {
  /** The document, or the URL of a redirect. */
  const request = async (url: URL, signal: AbortSignal): Promise<Document | URL> => {
    const answer = await dispatcher
      .request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: "GET",
        headers: { "accept-encoding": "gzip" },
        signal,
      })
      .catch((error: unknown) => {
        throw transportError(error, url.host, "answer", proxyOf(dispatcher, url));
      });
    const { statusCode: status, headers, body } = answer;
    // Without this handler, destroying an unread body is an unhandled error.
    body.on("error", () => {});
    try {
      if (status === 200) {
        const sent = await readBody(body, headers["content-length"], maxBytes, url.host);
        const bytes = await decode(sent, firstValue(headers["content-encoding"]) ?? "", maxBytes, url.host);
        const md5 = firstValue(headers["content-md5"]);
        if (md5) checkMd5(md5, [sent, bytes], url.host);
        return { bytes, sha256: hash("sha256", bytes) };
      }
      const target = firstValue(headers.location);
      if (REDIRECTS.has(status) && target !== undefined && URL.canParse(target, url.href))
        return new URL(target, url.href);
      const requestId = firstValue(headers["x-oss-request-id"]);
      const retryAfter = retryAfterMs(firstValue(headers["retry-after"]), now());
      throw responseError(url, status, await readStart(body, ERROR_PAGE_BYTES), {
        status,
        ...(requestId && { requestId }),
        ...(retryAfter !== undefined && { retryAfterMs: retryAfter }),
      });
    } catch (error) {
      throw transportError(error, url.host, "body");
    } finally {
      // An unread body would keep its socket.
      body.destroy();
    }
  };

  const follow = async (link: URL, signal: AbortSignal): Promise<Document> => {
    let url = link;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const reason = whyNotAllowed(url, { allowHosts, loopback }, hop === 0 ? undefined : link);
      if (reason) throw forbidden(reason);
      const result = await request(url, signal);
      if (!(result instanceof URL)) return result;
      url = result;
    }
    throw new Refused(`${link.host} redirects more than ${MAX_REDIRECTS} times.`, { code: "TooManyRedirects" });
  };

  return (link, signal, item = withoutQuery(link)) =>
    retrying(
      () => withTimeout(totalTimeoutMs, link.host, signal, (inner) => follow(link, inner)),
      { ...retry, request: { action: "download", item } },
      signal,
    );
};
