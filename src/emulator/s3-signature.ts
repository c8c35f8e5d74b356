import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "./api-error.ts";
import { type Keys, sameText } from "./signature.ts";

// Written from the description of S3's Signature Version 4, without the code of the client's signing, so that a mistake in
// one is found by the other.

const ALGORITHM = "AWS4-HMAC-SHA256";
const SKEW_MS = 15 * 60_000;
const SIGNED_BY_S3 = ["host", "x-amz-content-sha256", "x-amz-date"];

/** A request to the object store. Path and query as they were sent, because decoding them twice would change them. */
export interface ObjectRequest {
  method: string;
  path: string;
  /** Without the question mark. */
  query: string;
  headers: IncomingHttpHeaders;
}

/** Whether a request carries such a signature, right or wrong. */
export const hasS3Signature = (headers: IncomingHttpHeaders): boolean =>
  headers.authorization?.startsWith(ALGORITHM) ?? false;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const header = (headers: IncomingHttpHeaders, name: string): string =>
  [headers[name] ?? ""].flat().join(",").trim().replace(/\s+/g, " ");

const UNRESERVED = /[A-Za-z0-9\-._~]/;
const encode = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) => [String.fromCharCode(byte), byte] as const)
    .map(([c, byte]) => (UNRESERVED.test(c) ? c : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`))
    .join("");

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ApiError(400, "InvalidURI", "Couldn't parse the specified URI.");
  }
};

const canonicalPath = (path: string): string => decode(path).split("/").map(encode).join("/");

const canonicalQuery = (query: string): string =>
  query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return `${encode(decode(name))}=${encode(decode(value.join("=")))}`;
    })
    .sort()
    .join("&");

/** `20251120T081500Z` as milliseconds since 1970. */
const parseDate = (text: string): number => {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
};

const parseAuthorization = (text: string): { scope: string[]; signed: string[]; signature: string } => {
  const fields = new Map(
    text
      .slice(ALGORITHM.length)
      .split(",")
      .map((field) => field.trim().split("=", 2) as [string, string]),
  );
  const [credential, signed, signature] = ["Credential", "SignedHeaders", "Signature"].map((name) => fields.get(name));
  if (!credential || !signed || !signature)
    throw new ApiError(400, "InvalidArgument", "The authorization header is invalid.");
  return { scope: credential.split("/"), signed: signed.split(";"), signature };
};

/** Returns a check that throws an ApiError for every signature that the real store would refuse. */
export const s3SignatureCheck = (keys: Keys, now: () => Date): ((request: ObjectRequest) => void) => {
  return ({ method, path, query, headers }) => {
    const { scope, signed, signature } = parseAuthorization(headers.authorization ?? "");
    const [keyId = "", day = "", region = "", ...rest] = scope;
    if (rest.join("/") !== "s3/aws4_request")
      throw new ApiError(400, "InvalidArgument", "The credential in the authorization header is invalid.");
    const mustSign = Object.keys(headers).filter((name) => name.startsWith("x-amz-"));
    for (const name of [...SIGNED_BY_S3, ...mustSign])
      if (!signed.includes(name) || headers[name] === undefined)
        throw new ApiError(403, "AccessDenied", `The header ${name} must be sent and signed.`);

    const date = header(headers, "x-amz-date");
    if (!(Math.abs(now().getTime() - parseDate(date)) <= SKEW_MS))
      throw new ApiError(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
      );
    if (!sameText(keyId, keys.accessKeyId))
      throw new ApiError(
        403,
        "InvalidAccessKeyId",
        "The OSS Access Key Id you provided does not exist in our records.",
      );
    const payload = header(headers, "x-amz-content-sha256");
    if (payload !== "UNSIGNED-PAYLOAD" && payload !== sha256(""))
      throw new ApiError(400, "XAmzContentSHA256Mismatch", "The provided x-amz-content-sha256 does not match.");

    const lines = signed.map((name) => `${name}:${header(headers, name)}\n`).join("");
    const canonical = [method, canonicalPath(path), canonicalQuery(query), lines, signed.join(";"), payload].join("\n");
    const toSign = [ALGORITHM, date, `${day}/${region}/s3/aws4_request`, sha256(canonical)].join("\n");
    const key = [day, region, "s3", "aws4_request"].reduce<string | Uint8Array>(hmac, `AWS4${keys.accessKeySecret}`);
    if (!date.startsWith(day) || !sameText(signature, hmac(key, toSign).toString("hex")))
      throw new ApiError(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      );
  };
};
