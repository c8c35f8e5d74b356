import { hash } from "node:crypto";
import type { Dispatcher } from "undici";
import { withoutQuery } from "../core/errors.ts";
import type { Download } from "../core/ports.ts";
import type { Document } from "../core/records.ts";
import { proxyOf } from "./agent.ts";
import { checkMd5, decode, readBody } from "./body.ts";
import { firstValue, followLink, linkError, redirectOf } from "./link.ts";
import { type RetryOptions, retrying } from "./retry.ts";
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
      const target = redirectOf(status, headers, url);
      if (target) return target;
      throw await linkError(url, status, headers, body, now());
    } catch (error) {
      throw transportError(error, url.host, "body");
    } finally {
      // An unread body would keep its socket.
      body.destroy();
    }
  };

  return (link, signal, item = withoutQuery(link)) =>
    retrying(
      () =>
        withTimeout(totalTimeoutMs, link.host, signal, (inner) =>
          followLink(link, { allowHosts, loopback }, (url) => request(url, inner)),
        ),
      { ...retry, request: { action: "download", item } },
      signal,
    );
};
