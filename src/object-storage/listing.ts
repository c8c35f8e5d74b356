import { Refused } from "../core/errors.ts";
import type { ObjectFacts } from "../core/media.ts";
import { isKey } from "./place.ts";
import { childText, type Element, parseXml } from "./xml.ts";

/** A page of a listing. */
export interface Listing {
  objects: ObjectFacts[];
  /** The token of the next page; absent on the last one. */
  next?: string;
}

/** As the store writes a key with encoding-type=url: like in a form, a plus sign is a space. */
const decodeUrl = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
};

const objectOf = (bucket: string, contents: Element, isEncoded: boolean): ObjectFacts | undefined => {
  const sent = childText(contents, "Key") ?? "";
  const key = isEncoded ? decodeUrl(sent) : sent;
  const bytes = Number(childText(contents, "Size") || Number.NaN);
  const modifiedAt = new Date(childText(contents, "LastModified") ?? "");
  // An object without a usable name cannot be opened, and one without size or time is none.
  if (key === undefined || !isKey(key)) return undefined;
  if (!Number.isSafeInteger(bytes) || bytes < 0 || Number.isNaN(modifiedAt.getTime())) return undefined;
  return { bucket, key, bytes, modifiedAt };
};

/** Reads an answer of ListObjectsV2. What is not an object is left out. @throws Refused when it is not such an answer */
export const parseListing = (bucket: string, xml: string): Listing => {
  const result = parseXml(xml);
  if (result.name !== "ListBucketResult")
    throw new Refused("The object storage answered with something that is not a listing.", { code: "InvalidAnswer" });
  const isEncoded = childText(result, "EncodingType") === "url";
  const objects = result.children
    .filter(({ name }) => name === "Contents")
    .map((contents) => objectOf(bucket, contents, isEncoded))
    .filter((object) => object !== undefined);
  const isTruncated = childText(result, "IsTruncated")?.trim() === "true";
  return { objects, ...(isTruncated && { next: childText(result, "NextContinuationToken") ?? "" }) };
};
