import aws4 from "aws4";
import type { Dispatcher } from "undici";
import { type ArchiveError, Refused, UsageError } from "../core/errors.ts";
import { advanceOf } from "../core/flow/advance.ts";
import type { ObjectPlace, ObjectStorage, OpenFile } from "../core/media.ts";
import { proxyOf } from "../http/agent.ts";
import { readBody } from "../http/body.ts";
import { isLoopback } from "../http/hosts.ts";
import { errorPage, firstValue } from "../http/link.ts";
import { AS_STORED, requestFile } from "../http/open-file.ts";
import { type RetryOptions, retryAfterMs, retrying } from "../http/retry.ts";
import { transportError, withTimeout } from "../http/transport.ts";
import { storageError } from "./errors.ts";
import { type Listing, parseListing } from "./listing.ts";
import { isBucket, isKey, placeText } from "./place.ts";

/** What requests are signed with. */
interface Key {
  accessKeyId: string;
  accessKeySecret: string;
  /** Of a temporary key. */
  securityToken?: string;
}

export interface ObjectStorageOptions extends RetryOptions {
  dispatcher: Dispatcher;
  /** For example `cn-hangzhou`. */
  region: string;
  /**
  An https URL without a path: its host follows the bucket's name. One on this machine has the bucket in its path.

  @default `https://s3.oss-REGION.aliyuncs.com`
  */
  endpoint?: URL;
  /** The endpoint is the custom domain of one bucket, so that its host alone names the bucket. @default false */
  isBucketDomain?: boolean;
  /** Rejects with an ArchiveError when there are none. */
  credentials: { get(): Promise<Key> };
  userAgent: string;
  /** Limit of one request for a page of a listing, in milliseconds. @default 60_000 */
  timeoutMs?: number;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
}

/** Most objects of a page: the service's limit. */
const PAGE = 1000;
/** Limit of a page, in bytes: a thousand keys of 1,023 bytes, percent-encoded, and what belongs to them. */
const PAGE_BYTES = 8 * 1024 * 1024;

type Answer = Dispatcher.ResponseData;
type Action = "oss:GetObject" | "oss:ListObjects";

/** `cn-hangzhou`: the region becomes part of a host name, so it must not contain anything else. */
const REGION = /^[a-z]{2,4}(-[a-z0-9]+)+$/;

const checkedEndpoint = (endpoint: URL | undefined, region: string): URL => {
  if (!REGION.test(region)) throw new UsageError(`"${region}" is not a region like cn-shanghai.`);
  const url = endpoint ?? new URL(`https://s3.oss-${region}.aliyuncs.com`);
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
  if (!isSafe || url.username || url.password || url.pathname !== "/" || url.search || url.hash)
    throw new UsageError(
      `The endpoint of object storage (${url.host}) must be an https URL that ends after the host; plain http is for this machine only.`,
    );
  return url;
};

/** Percent-encodes all that is not unreserved, and leaves the slashes. */
const encodeKey = (key: string): string =>
  key
    .split("/")
    .map((part) =>
      encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join("/");

/**
Object storage, read with S3's Signature Version 4, which OSS accepts too.

Source of the addresses and of the region in the signature (`s3.oss-REGION.aliyuncs.com`, the bucket before it, and
`cn-hangzhou` without `oss-`): the vendor's page "Use AWS SDKs to access OSS", example for Node.js.

`open` makes one attempt, so that a download can decide where to continue; its body must be read to its end, or its signal
aborted. `list` repeats its requests. Redirects are not followed.
*/
export const createObjectStorage = (options: ObjectStorageOptions): ObjectStorage => {
  const { dispatcher, region, isBucketDomain = false, credentials, userAgent } = options;
  const { timeoutMs = 60_000, now = Date.now, ...retry } = options;
  const endpoint = checkedEndpoint(options.endpoint, region);

  /** The origin and the path of an object; an empty key is the bucket. */
  const addressOf = ({ bucket, key }: ObjectPlace): { url: URL; path: string } => {
    if (isLoopback(endpoint)) return { url: endpoint, path: `/${bucket}/${encodeKey(key)}` };
    const host = isBucketDomain ? endpoint.host : `${bucket}.${endpoint.host}`;
    return { url: new URL(`https://${host}`), path: `/${encodeKey(key)}` };
  };

  /** The headers of a signed GET. The path is sent as it was signed: a URL would remove the dots of a key like `a/../b`. */
  const signed = async (url: URL, path: string, headers: Record<string, string>): Promise<Record<string, string>> => {
    const { accessKeyId, accessKeySecret, securityToken } = await credentials.get();
    const date = new Date(now()).toISOString().replace(/[:-]|\.\d{3}/g, "");
    const request = {
      method: "GET",
      path,
      service: "s3",
      region,
      headers: { host: url.host, "x-amz-date": date, ...headers },
    };
    const key = {
      accessKeyId,
      secretAccessKey: accessKeySecret,
      ...(securityToken && { sessionToken: securityToken }),
    };
    return { ...(aws4.sign(request, key).headers as Record<string, string>), "user-agent": userAgent };
  };

  const errorOf = async (answer: Answer, url: URL, action: Action, place: ObjectPlace): Promise<ArchiveError> => {
    const { statusCode: status, headers, body } = answer;
    const page = await errorPage(status, body);
    const header = (name: string): string | undefined => firstValue(headers[name]);
    const requestId = header("x-oss-request-id") ?? header("x-amz-request-id");
    const wait = retryAfterMs(header("retry-after"), now());
    const serverTime = Date.parse(header("date") ?? "");
    const fineCode = header("x-oss-ec");
    return storageError({
      page,
      facts: {
        code: page.code,
        status,
        ...(requestId && { requestId }),
        ...(wait !== undefined && { retryAfterMs: wait }),
      },
      host: url.host,
      bucket: place.bucket,
      place: place.key === "" ? `oss://${place.bucket}` : placeText(place),
      action,
      fineCode: fineCode && /^\d{4}-\d{8}$/.test(fineCode) ? fineCode : undefined,
      aheadMs: Number.isNaN(serverTime) ? undefined : now() - serverTime,
    });
  };

  const page = async (
    bucket: string,
    prefix: string,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<Listing> => {
    const place = { bucket, key: "" };
    const { url, path } = addressOf(place);
    const query = new URLSearchParams({
      "list-type": "2",
      "encoding-type": "url",
      "max-keys": String(PAGE),
      ...(prefix !== "" && { prefix }),
      ...(token !== undefined && { "continuation-token": token }),
    });
    const target = `${path}?${String(query).replaceAll("+", "%20").replaceAll("*", "%2A")}`;
    const headers = await signed(url, target, {});
    const answer = await dispatcher
      .request({ origin: url.origin, path: target, method: "GET", headers: { ...AS_STORED, ...headers }, signal })
      .catch((error: unknown) => {
        throw transportError(error, url.host, "answer", proxyOf(dispatcher, url));
      });
    // Without this handler, destroying an unread body is an unhandled error.
    answer.body.on("error", () => undefined);
    try {
      if (answer.statusCode !== 200) throw await errorOf(answer, url, "oss:ListObjects", place);
      const xml = await readBody(answer.body, answer.headers["content-length"], PAGE_BYTES, url.host);
      return parseListing(bucket, xml.toString("utf8"));
    } catch (error) {
      throw transportError(error, url.host, "body");
    } finally {
      answer.body.destroy();
    }
  };

  return {
    async *list(bucket, prefix, signal) {
      if (!isBucket(bucket)) throw new UsageError(`"${bucket}" is not the name of a bucket.`);
      const advance = advanceOf(`the bucket ${bucket}`);
      const request = { action: "ListObjects", item: `oss://${bucket}` };
      let last = "";
      for (let token: string | undefined; ; ) {
        const current = token;
        const { objects, next } = await retrying(
          () => withTimeout(timeoutMs, endpoint.host, signal, (inner) => page(bucket, prefix, current, inner)),
          { ...retry, request },
          signal,
        );
        yield objects;
        if (next === undefined) return;
        const end = objects.at(-1)?.key ?? last;
        advance(next === "" ? undefined : next, end !== last);
        last = end;
        token = next;
      }
    },

    async open(place, from, etag, signal) {
      if (!isBucket(place.bucket) || !isKey(place.key))
        throw new UsageError(`${placeText(place)} is not a place in object storage.`);
      const { url, path } = addressOf(place);
      const request = async (range: Record<string, string>): Promise<OpenFile> =>
        requestFile({ dispatcher, url, path, headers: await signed(url, path, range), signal }, async (answer) => {
          throw await errorOf(answer, url, "oss:GetObject", place);
        });
      if (from === 0 || etag === undefined) return request({});
      try {
        return await request({ range: `bytes=${from}-`, "if-match": etag });
      } catch (error) {
        // Another object has taken its place: that one comes whole.
        if (error instanceof Refused && error.facts.status === 412) return request({});
        throw error;
      }
    },
  };
};
