import type { Dispatcher } from "undici";
import { CutShort, Refused } from "../core/errors.ts";
import type { OpenFile, OpenRange } from "../core/media.ts";
import { proxyOf } from "./agent.ts";
import type { Permission } from "./hosts.ts";
import { firstValue, followLink, linkError, redirectOf } from "./link.ts";
import { piecesOf } from "./pieces.ts";
import { transportError } from "./transport.ts";

type Answer = Dispatcher.ResponseData;

/** Asks for the bytes as they are stored: decoding them would change their length and their checksums. */
export const AS_STORED = { "accept-encoding": "identity" };

/**
The header of an ETag, for a later request; undefined when it cannot be one.

A value from outside becomes a header, so it must be short and printable.
*/
export const usableEtag = (value: unknown): string | undefined =>
  typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value) ? value : undefined;

const sizeOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** Where the body of an answer begins, and the length of the whole file. */
const placeOf = ({ statusCode, headers }: Answer, host: string): { from: number; bytes: number | undefined } => {
  if (statusCode !== 206) return { from: 0, bytes: sizeOf(firstValue(headers["content-length"])) };
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(firstValue(headers["content-range"]) ?? "") ?? [];
  const from = sizeOf(first);
  if (from === undefined)
    throw new CutShort(`${host} sent a part of a file without saying which.`, { code: "BadRange" });
  return { from, bytes: sizeOf(total) };
};

async function* bodyOf({ body }: Answer, host: string): AsyncGenerator<Uint8Array> {
  try {
    yield* piecesOf(body);
  } catch (error) {
    throw transportError(error, host, "body");
  } finally {
    body.destroy();
  }
}

/** The file of an answer 200 or 206. @throws Refused when it is encoded, CutShort when its place is not known */
const openFileOf = (answer: Answer, host: string): OpenFile => {
  const { headers } = answer;
  const encoding = firstValue(headers["content-encoding"])?.trim().toLowerCase() ?? "";
  if (encoding !== "" && encoding !== "identity")
    throw new Refused(`${host} sent the file in a Content-Encoding, though none was accepted.`, {
      code: "UnknownEncoding",
    });
  const { from, bytes } = placeOf(answer, host);
  const etag = usableEtag(firstValue(headers.etag));
  const crc64 = firstValue(headers["x-oss-hash-crc64ecma"]);
  // The MD5 of a part is that of the part.
  const md5 = answer.statusCode === 200 ? Buffer.from(firstValue(headers["content-md5"]) ?? "", "base64") : undefined;
  return {
    body: bodyOf(answer, host),
    from,
    ...(bytes !== undefined && { bytes }),
    ...(etag && { etag }),
    ...(crc64 && /^\d{1,20}$/.test(crc64) && { crc64 }),
    ...(md5?.length === 16 && { md5: md5.toString("hex") }),
  };
};

export interface FileRequest {
  dispatcher: Dispatcher;
  url: URL;
  /** Path and query, when the URL must not be normalised. @default those of the URL */
  path?: string;
  headers?: Record<string, string>;
  signal: AbortSignal;
}

/** Requests a file, and gives it to `open`, or any other answer to `other`. */
export const requestFile = async <T>(
  { dispatcher, url, path = url.pathname + url.search, headers, signal }: FileRequest,
  other: (answer: Answer) => Promise<T>,
): Promise<OpenFile | T> => {
  const request = { origin: url.origin, path, method: "GET" as const, headers: { ...AS_STORED, ...headers }, signal };
  const answer = await dispatcher.request(request).catch((error: unknown) => {
    throw transportError(error, url.host, "answer", proxyOf(dispatcher, url));
  });
  // Without this handler, destroying an unread body is an unhandled error.
  answer.body.on("error", () => {});
  let isOpen = false;
  try {
    if (answer.statusCode !== 200 && answer.statusCode !== 206) return await other(answer);
    const file = openFileOf(answer, url.host);
    isOpen = true;
    return file;
  } catch (error) {
    throw transportError(error, url.host, "body");
  } finally {
    // An unread body would keep its socket.
    if (!isOpen) answer.body.destroy();
  }
};

/**
Opens the file behind a link, from a byte on. Only allowed hosts are asked, redirects included, and no message has the
link's query.

Each call is one attempt. Its body must be read to its end, or the signal aborted.
*/
export const openLink =
  (dispatcher: Dispatcher, link: URL, permission: Permission): OpenRange =>
  async (from, etag, signal) => {
    // If-Range, because the whole file comes at once when it is another one.
    const headers: Record<string, string> =
      from > 0 && etag !== undefined ? { range: `bytes=${from}-`, "if-range": etag } : {};
    return followLink(link, permission, (url) =>
      requestFile({ dispatcher, url, headers, signal }, async ({ statusCode, headers, body }) => {
        const target = redirectOf(statusCode, headers, url);
        if (target) return target;
        throw await linkError(url, statusCode, headers, body, Date.now());
      }),
    );
  };
