import type { StoredObject } from "./object-content.ts";

const MAX_KEYS = 1000;
const DEFAULT_KEYS = 100;

const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** As the store writes keys with encoding-type=url: as in a form, where a space becomes a plus sign. */
const encodeUrl = (text: string): string => new URLSearchParams({ k: text }).toString().slice("k=".length);

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** An answer of ListObjectsV2. @param repeats whether it gives the token that it was requested with */
export const listing = (
  bucket: string,
  objects: ReadonlyMap<string, StoredObject>,
  query: URLSearchParams,
  repeats: boolean,
): string => {
  const prefix = query.get("prefix") ?? "";
  const isEncoded = query.get("encoding-type") === "url";
  const text = (key: string): string => (isEncoded ? encodeUrl(key) : escapeXml(key));
  const limit = Math.min(MAX_KEYS, Number(query.get("max-keys") ?? DEFAULT_KEYS) || DEFAULT_KEYS);
  const token = query.get("continuation-token");
  const after = token === null ? undefined : Buffer.from(token, "base64url").toString();

  const rest = [...objects.keys()]
    .filter((key) => key.startsWith(prefix) && (after === undefined || byBytes(key, after) > 0))
    .sort(byBytes);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const next = repeats
    ? (token ?? "")
    : rest.length > limit && last
      ? Buffer.from(last).toString("base64url")
      : undefined;

  const contents = page.map((key) => {
    const object = objects.get(key);
    return [
      `<Contents><Key>${text(key)}</Key>`,
      `<LastModified>${object?.modifiedAt.toISOString()}</LastModified>`,
      `<ETag>${escapeXml(object?.content.etag ?? "")}</ETag>`,
      `<Type>Normal</Type><Size>${object?.content.bytes}</Size><StorageClass>Standard</StorageClass></Contents>`,
    ].join("");
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com">',
    `<Name>${bucket}</Name><Prefix>${text(prefix)}</Prefix><MaxKeys>${limit}</MaxKeys>`,
    isEncoded ? "<EncodingType>url</EncodingType>" : "",
    `<IsTruncated>${next !== undefined}</IsTruncated><KeyCount>${page.length}</KeyCount>`,
    next === undefined ? "" : `<NextContinuationToken>${escapeXml(next)}</NextContinuationToken>`,
    ...contents,
    "</ListBucketResult>",
  ].join("");
};
