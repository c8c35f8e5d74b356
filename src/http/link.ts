import type { Dispatcher } from "undici";
import {
  type ArchiveError,
  LinkExpired,
  NotFound,
  Refused,
  Throttled,
  Unavailable,
  withoutQuery,
} from "../core/errors.ts";
import { readStart } from "./body.ts";
import { type Permission, whyNotAllowed } from "./hosts.ts";
import { retryAfterMs } from "./retry.ts";

type Headers = Dispatcher.ResponseData["headers"];

const MAX_REDIRECTS = 3;
const ERROR_PAGE_BYTES = 16 * 1024;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export const firstValue = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

/** The text of the first element with this name. The XML is not trusted and not parsed. */
const xmlElement = (xml: string, name: string): string =>
  new RegExp(`<${name}>([^<]{0,300})</${name}>`).exec(xml)?.[1] ?? "";

/** The error page of an object store. Everything in it is bounded, but only `code` has a safe form. */
export interface ErrorPage {
  /** The store's error code, or `HTTP` and the status. */
  code: string;
  message: string;
  /** The endpoint that the store names when the request belongs to another. */
  endpoint: string;
}

/** Reads the error page of an object store. */
export const errorPage = async (status: number, body: AsyncIterable<Uint8Array>): Promise<ErrorPage> => {
  const page = await readStart(body, ERROR_PAGE_BYTES);
  const code = xmlElement(page, "Code").trim();
  return {
    code: /^[\w.-]{1,64}$/.test(code) ? code : `HTTP${status}`,
    message: xmlElement(page, "Message"),
    endpoint: xmlElement(page, "Endpoint").trim(),
  };
};

/** The error for an answer of a link that is neither a document nor a redirect. */
export const linkError = async (
  url: URL,
  status: number,
  headers: Headers,
  body: AsyncIterable<Uint8Array>,
  now: number,
): Promise<ArchiveError> => {
  const { code, message } = await errorPage(status, body);
  const requestId = firstValue(headers["x-oss-request-id"]);
  const wait = retryAfterMs(firstValue(headers["retry-after"]), now);
  const facts = { code, status, ...(requestId && { requestId }), ...(wait !== undefined && { retryAfterMs: wait }) };
  const place = withoutQuery(url);
  if (status === 429) return new Throttled(`${url.host} asks to slow down (${code}).`, facts);
  if (status === 408 || status >= 500)
    return new Unavailable(`${url.host} failed temporarily (${code}, HTTP ${status}).`, facts);
  // A link also expires with the temporary key that signed it.
  if (/expired/i.test(code) || (status === 403 && /expired/i.test(message)))
    return new LinkExpired(`The link to ${place} has expired.`, facts);
  if (status === 404 && code === "NoSuchKey") return new NotFound(`There is no document at ${place}.`, facts);
  return new Refused(`${url.host} refused to send ${place} (${code}, HTTP ${status}).`, facts);
};

/** Where an answer redirects to; undefined if it is none. */
export const redirectOf = (status: number, headers: Headers, url: URL): URL | undefined => {
  const target = firstValue(headers.location);
  return REDIRECTS.has(status) && target !== undefined && URL.canParse(target, url.href)
    ? new URL(target, url.href)
    : undefined;
};

/**
Requests a link and follows its redirects, all of them only to allowed hosts.

@param request gives the result, or the URL of a redirect
@throws Refused for a host that is not allowed, and after too many redirects
*/
export const followLink = async <T extends object>(
  link: URL,
  permission: Permission,
  request: (url: URL) => Promise<T | URL>,
): Promise<T> => {
  let url = link;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const reason = whyNotAllowed(url, permission, hop === 0 ? undefined : link);
    if (reason) throw new Refused(`Not downloaded: ${reason}.`, { code: "ForbiddenHost" });
    const result = await request(url);
    if (!(result instanceof URL)) return result;
    url = result;
  }
  throw new Refused(`${link.host} redirects more than ${MAX_REDIRECTS} times.`, { code: "TooManyRedirects" });
};
