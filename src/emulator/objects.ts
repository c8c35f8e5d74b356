import { type Answer, breakdowns, type Refuse } from "./answer.ts";
import { ApiError } from "./api-error.ts";
import type { Dice } from "./faults.ts";
import type { Links } from "./links.ts";
import { generatedContent, givenContent, type StoredObject } from "./object-content.ts";
import { listing } from "./object-listing.ts";
import { hasS3Signature, type ObjectRequest, s3SignatureCheck } from "./s3-signature.ts";
import type { Keys } from "./signature.ts";

export interface ObjectOptions {
  bucket: string;
  key: string;
  /** @default a generated object, if `bytes` is given, or else an empty one */
  body?: Uint8Array | string;
  /** The size of a generated object. It is computed while it is sent, so many gigabytes are fine. */
  bytes?: number;
  /** Its Content-Type. @default "application/octet-stream" */
  type?: string;
  /** @default now */
  modifiedAt?: Date;
  /** Whether it can be read without a signature. @default false */
  public?: boolean;
}

export interface ObjectsOptions {
  keys: Keys;
  links: Links;
  dice: Dice;
  linkTtlSeconds: number;
  /** `GetObject` and `ListObjects` in it are answered with AccessDenied. */
  deny: readonly string[];
  now: () => Date;
  origin: () => string;
}

const encodeKey = (key: string): string => key.split("/").map(encodeURIComponent).join("/");

/** The wanted part of an object: undefined for all of it, "invalid" for a part that it does not have. */
const rangeOf = (text: string | undefined, bytes: number): { from: number; to: number } | "invalid" | undefined => {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(text ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  if (first === "") return last === "0" ? "invalid" : { from: Math.max(0, bytes - Number(last)), to: bytes };
  if (Number(first) >= bytes || (last !== "" && Number(last) < Number(first))) return "invalid";
  return { from: Number(first), to: last === "" ? bytes : Math.min(bytes, Number(last) + 1) };
};

/** Buckets of objects, addressed by path (`/BUCKET/KEY`), because this machine has no names for buckets. */
export const createObjects = ({ keys, links, dice, linkTtlSeconds, deny, now, origin }: ObjectsOptions) => {
  const buckets = new Map<string, Map<string, StoredObject>>();
  const check = s3SignatureCheck(keys, now);

  const pathOf = (bucket: string, key: string): string => `/${bucket}/${encodeKey(key)}`;

  const permit = (action: string, request: ObjectRequest, object?: StoredObject): void => {
    if (hasS3Signature(request.headers)) check(request);
    else if (!object?.isPublic)
      throw new ApiError(403, "AccessDenied", "You have no right to access this object because of bucket acl.");
    if (deny.includes(action))
      throw new ApiError(403, "AccessDenied", "You have no right to access this object because of bucket acl.");
  };

  const send = (object: StoredObject, request: ObjectRequest, requestId: string, refuse: Refuse): Answer => {
    const { content, type, modifiedAt } = object;
    const { range, "if-match": ifMatch, "if-range": ifRange } = request.headers;
    if (ifMatch !== undefined && ifMatch !== "*" && ifMatch !== content.etag)
      return refuse(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.");
    const wanted = ifRange === undefined || ifRange === content.etag ? rangeOf(range, content.bytes) : undefined;
    if (wanted === "invalid") return refuse(416, "InvalidRange", "The requested range cannot be satisfied.");
    const { from, to } = wanted ?? { from: 0, to: content.bytes };
    const headers: Record<string, string> = {
      "accept-ranges": "bytes",
      "content-length": String(to - from),
      "content-type": type,
      etag: content.etag,
      "last-modified": modifiedAt.toUTCString(),
      // Of the whole object, also when only a part is sent.
      "x-oss-hash-crc64ecma": content.crc64(),
      "x-oss-object-type": "Normal",
      "x-oss-request-id": requestId,
      ...(wanted && { "content-range": `bytes ${from}-${to - 1}/${content.bytes}` }),
      ...(!wanted && content.md5 && { "content-md5": content.md5 }),
    };
    const status = wanted ? 206 : 200;
    if (request.method === "HEAD") return { status, headers, body: "" };
    return { status, headers, body: "", pieces: () => content.pieces(from, to) };
  };

  const objectAnswer = (bucket: string, key: string, request: ObjectRequest, requestId: string, refuse: Refuse) => {
    const object = buckets.get(bucket)?.get(key);
    const query = new URLSearchParams(request.query);
    const refusal = query.has("Signature") ? links.refusal(request.path, query, refuse) : undefined;
    if (refusal) return refusal;
    if (!query.has("Signature")) permit("GetObject", request, object);
    if (!object) return refuse(404, "NoSuchKey", "The specified key does not exist.");
    return send(object, request, requestId, refuse);
  };

  const listAnswer = (
    bucket: string,
    objects: Map<string, StoredObject>,
    request: ObjectRequest,
    requestId: string,
  ) => {
    permit("ListObjects", request);
    const query = new URLSearchParams(request.query);
    const body = listing(bucket, objects, query, dice.roll("repeat"));
    return { status: 200, headers: { "content-type": "application/xml", "x-oss-request-id": requestId }, body };
  };

  return {
    /** Puts an object, in place of an earlier one with its key, and returns its address. */
    put: ({ bucket, key, body, bytes, type, modifiedAt, public: isPublic }: ObjectOptions): string => {
      const content =
        body === undefined && bytes !== undefined
          ? generatedContent(`${bucket}/${key}`, bytes)
          : givenContent(typeof body === "string" ? Buffer.from(body) : (body ?? new Uint8Array()));
      const objects = buckets.get(bucket) ?? new Map<string, StoredObject>();
      buckets.set(bucket, objects);
      objects.set(key, {
        content,
        type: type ?? "application/octet-stream",
        modifiedAt: modifiedAt ?? now(),
        isPublic: isPublic ?? false,
      });
      return origin() + pathOf(bucket, key);
    },

    /** A signed link. @param seconds until it expires; negative: it has expired already */
    link: (bucket: string, key: string, seconds: number = linkTtlSeconds): string => {
      const path = pathOf(bucket, key);
      return `${origin()}${path}?${links.query(path, dice.roll("expire") ? -60 : seconds)}`;
    },

    /** Whether a request is for a bucket, rather than for a call log. */
    claims: (path: string, headers: ObjectRequest["headers"]): boolean =>
      buckets.has(path.split("/", 2)[1] ?? "") || hasS3Signature(headers),

    answer: (request: ObjectRequest, requestId: string, refuse: Refuse): Answer => {
      if (dice.roll("error")) return dice.turn(breakdowns)(refuse);
      try {
        const [, bucket = "", ...segments] = request.path.split("/");
        const key = decodeURIComponent(segments.join("/"));
        const objects = buckets.get(bucket);
        if (!objects) return refuse(404, "NoSuchBucket", "The specified bucket does not exist.");
        return key === ""
          ? listAnswer(bucket, objects, request, requestId)
          : objectAnswer(bucket, key, request, requestId, refuse);
      } catch (error) {
        if (error instanceof ApiError) return refuse(error.status, error.code, error.message);
        if (error instanceof URIError) return refuse(400, "InvalidURI", "Couldn't parse the specified URI.");
        throw error;
      }
    },
  };
};

export type Objects = ReturnType<typeof createObjects>;
