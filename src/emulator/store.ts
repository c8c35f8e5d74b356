import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Answer, Refuse } from "./answer.ts";
import type { Call } from "./corpus.ts";
import type { Directory } from "./directory.ts";
import type { Links } from "./links.ts";
import { hash32 } from "./random.ts";

const PREFIX = "/call-logs/";
const GZIP_FROM = 1024;

export interface StoreOptions {
  links: Links;
  directory: Directory;
  linkTtlSeconds: number;
  origin: () => string;
}

/** The object store that holds the call logs, and its signed links. */
export const createStore = ({ links, directory, linkTtlSeconds, origin }: StoreOptions) => {
  const pathOf = ({ agent, start, key }: Call): string =>
    `${PREFIX}${encodeURIComponent(agent)}/${new Date(start * 1000).toISOString().slice(0, 10).replaceAll("-", "")}/${key}.json`;

  const serve = (call: Call, acceptsGzip: boolean, requestId: string): Answer => {
    const { bytes, seconds } = call.log();
    const headers: Record<string, string> = {
      "content-type": "application/json",
      "last-modified": new Date((call.start + seconds) * 1000).toUTCString(),
      "x-oss-request-id": requestId,
    };
    // Like the real store: some documents are sent compressed, without ETag and length.
    if (acceptsGzip && !call.headers && bytes.length > GZIP_FROM && hash32(call.key) % 2 === 0)
      return { status: 200, headers: { ...headers, "content-encoding": "gzip" }, body: gzipSync(bytes, { level: 1 }) };
    const md5 = createHash("md5").update(bytes).digest();
    headers.etag = `"${md5.toString("hex").toUpperCase()}"`;
    headers["content-md5"] = md5.toString("base64");
    headers["content-length"] = String(bytes.length);
    return { status: 200, headers: { ...headers, ...call.headers }, body: bytes };
  };

  return {
    /** A link to the call log. @param isExpired makes a link that has already expired */
    link: (call: Call, isExpired: boolean): string => {
      if (call.link !== undefined) return call.link;
      const path = pathOf(call);
      return `${origin()}${path}?${links.query(path, isExpired ? -60 : linkTtlSeconds)}`;
    },

    get: (path: string, query: URLSearchParams, acceptsGzip: boolean, requestId: string, refuse: Refuse): Answer => {
      const key = path.slice(path.lastIndexOf("/") + 1, -".json".length);
      const call = path.startsWith(PREFIX) ? directory.findByKey(key) : undefined;
      if (call?.status !== "Finished" || path !== pathOf(call))
        return refuse(404, "NoSuchKey", "The specified key does not exist.");
      return links.refusal(path, query, refuse) ?? serve(call, acceptsGzip, requestId);
    },
  };
};

export type Store = ReturnType<typeof createStore>;
