import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "./api-error.ts";

// Written from the description of the protocol, without the code of the client's signing, so that a mistake in one is
// found by the other.

const ALGORITHM = "ACS3-HMAC-SHA256";
const SKEW_MS = 15 * 60_000;
const NONCES = 100_000;
const required = [
  "host",
  "x-acs-action",
  "x-acs-version",
  "x-acs-date",
  "x-acs-signature-nonce",
  "x-acs-content-sha256",
  "authorization",
];

export interface SignedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Uint8Array;
}

export interface Keys {
  accessKeyId: string;
  accessKeySecret: string;
}

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
const rfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const header = (headers: IncomingHttpHeaders, name: string): string => {
  const value = headers[name];
  return (Array.isArray(value) ? value.join(",") : (value ?? "")).trim();
};
const byKey = (a: readonly [string, string], b: readonly [string, string]): number =>
  a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;

/** Compares two texts in constant time. */
export const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

const canonicalQuery = (query: URLSearchParams): string =>
  [...query]
    .map(([name, value]) => [rfc3986(name), rfc3986(value)] as const)
    .sort(byKey)
    .map((pair) => pair.join("="))
    .join("&");

const parseAuthorization = (text: string): { credential: string; signed: string[]; signature: string } => {
  const [algorithm, rest = ""] = text.split(" ", 2);
  const fields = new Map(rest.split(",").map((field) => field.split("=", 2) as [string, string]));
  const [credential, signed, signature] = ["Credential", "SignedHeaders", "Signature"].map((name) => fields.get(name));
  if (algorithm !== ALGORITHM || !credential || !signed || !signature)
    throw new ApiError(400, "IncompleteSignature", `Authorization must be: ${ALGORITHM} Credential=,SignedHeaders=,…`);
  return { credential, signed: signed.split(";"), signature };
};

/** Remembers the nonces of the last 15 minutes in two generations of limited size, so that memory does not grow. */
const createNonceStore = (): ((nonce: string, at: number) => boolean) => {
  let young = new Set<string>();
  let old = new Set<string>();
  let startedAt = Number.NEGATIVE_INFINITY;
  return (nonce, at) => {
    if (at - startedAt > SKEW_MS || young.size >= NONCES) {
      old = at - startedAt > 2 * SKEW_MS ? new Set() : young;
      young = new Set();
      startedAt = at;
    }
    if (young.has(nonce) || old.has(nonce)) return false;
    young.add(nonce);
    return true;
  };
};

/** Returns a check that throws an ApiError for every request that the real gateway would refuse. */
export const signatureCheck = (keys: Keys, now: () => Date): ((request: SignedRequest) => void) => {
  const isNew = createNonceStore();
  return ({ method, path, query, headers, body }) => {
    for (const name of required)
      if (!header(headers, name)) throw new ApiError(400, "MissingParameter", `The header ${name} is missing.`);

    const { credential, signed, signature } = parseAuthorization(header(headers, "authorization"));
    const mustSign = Object.keys(headers).filter(
      (name) => name === "host" || name === "content-type" || name.startsWith("x-acs-"),
    );
    for (const name of mustSign)
      if (!signed.includes(name)) throw new ApiError(400, "IncompleteSignature", `The header ${name} is not signed.`);

    const payload = header(headers, "x-acs-content-sha256");
    if (!sameText(payload, sha256(body)))
      throw new ApiError(400, "SignatureDoesNotMatch", "x-acs-content-sha256 is not the SHA-256 of the body.");

    const at = now().getTime();
    const date = Date.parse(header(headers, "x-acs-date"));
    if (!(Math.abs(at - date) <= SKEW_MS))
      throw new ApiError(400, "InvalidTimeStamp.Expired", "x-acs-date is more than 15 minutes off the server's time.");
    if (!sameText(credential, keys.accessKeyId))
      throw new ApiError(404, "InvalidAccessKeyId.NotFound", "The access key id is not known.");

    const lines = [...signed].sort().map((name) => `${name}:${header(headers, name)}\n`);
    const canonical = [method, path, canonicalQuery(query), lines.join(""), signed.join(";"), payload].join("\n");
    const expected = createHmac("sha256", keys.accessKeySecret)
      .update(`${ALGORITHM}\n${sha256(canonical)}`)
      .digest("hex");
    if (!sameText(signature, expected))
      throw new ApiError(400, "SignatureDoesNotMatch", "The signature does not match the request.");
    if (!isNew(header(headers, "x-acs-signature-nonce"), at))
      throw new ApiError(400, "SignatureNonceUsed", "x-acs-signature-nonce was used before.");
  };
};
