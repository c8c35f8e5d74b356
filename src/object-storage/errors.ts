import {
  type ArchiveError,
  BadCredentials,
  ClockSkewed,
  Denied,
  type ErrorFacts,
  NotFound,
  Refused,
  Throttled,
  Unavailable,
} from "../core/errors.ts";
import type { ErrorPage } from "../http/link.ts";

/** A refused request to object storage. */
export interface Refusal {
  page: ErrorPage;
  facts: ErrorFacts;
  host: string;
  bucket: string;
  /** The object, or the bucket, as a person knows it. */
  place: string;
  /** As RAM policies write it: `oss:GetObject` or `oss:ListObjects`. */
  action: string;
  /** The finer code of the header `x-oss-ec`, if it has one. */
  fineCode: string | undefined;
  /** How far this machine's clock is ahead, in milliseconds; undefined when the answer has no date. */
  aheadMs: number | undefined;
}

type Kind = new (message: string, facts: ErrorFacts) => ArchiveError;
type Row = [
  when: RegExp | ((refusal: Refusal, status: number) => boolean),
  kind: Kind,
  messageFor: (refusal: Refusal) => string,
];

const codeOf = ({ page, fineCode }: Refusal): string => (fineCode ? `${page.code}, ${fineCode}` : page.code);

const policyOf = ({ action, bucket }: Refusal): string => {
  const resource = action === "oss:ListObjects" ? `acs:oss:*:*:${bucket}` : `acs:oss:*:*:${bucket}/*`;
  return JSON.stringify({ Version: "1", Statement: [{ Effect: "Allow", Action: [action], Resource: [resource] }] });
};

const clockOffset = ({ aheadMs }: Refusal): string => {
  if (aheadMs === undefined) return "more than 15 minutes off";
  return `${Math.round(Math.abs(aheadMs) / 60_000)} minutes ${aheadMs > 0 ? "ahead" : "behind"}`;
};

const ENDPOINT = /^[a-z0-9.-]{1,100}\.aliyuncs\.com$/;

/** The first matching row counts. The service's own messages are not shown: they can quote what was signed. */
const table: readonly Row[] = [
  [
    (r, status) => status === 429 || /SlowDown|Throttl|QpsLimit|RateLimit|FlowControl|RequestLimit/i.test(r.page.code),
    Throttled,
    (r) => `${r.host} asks to slow down (${codeOf(r)}).`,
  ],
  [
    (r, status) => status === 408 || status >= 500 || r.page.code === "RequestTimeout",
    Unavailable,
    (r) => `${r.host} failed temporarily (${codeOf(r)}, HTTP ${r.facts.status}).`,
  ],
  [
    /^RequestTimeTooSkewed/,
    ClockSkewed,
    (r) =>
      `The clock of this machine is ${clockOffset(r)}, and ${r.host} accepts 15 minutes (${codeOf(r)}). Set the clock.`,
  ],
  [
    /^(InvalidSecurityToken|SecurityTokenExpired|ExpiredToken|InvalidToken|SecurityTokenNotSupported)/,
    BadCredentials,
    (r) =>
      `${r.host} no longer accepts the temporary key's security token (${codeOf(r)}). Sign in again, or get a new one.`,
  ],
  [
    /^(InvalidAccessKeyId|AccessKeyDisabled)/,
    BadCredentials,
    (r) => `${r.host} does not know the access key id, or it is disabled (${codeOf(r)}). Check which key is in use.`,
  ],
  [
    /^SignatureDoesNotMatch/,
    BadCredentials,
    (r) =>
      `${r.host} does not accept the signature (${codeOf(r)}): the access key secret does not belong to the access key id.`,
  ],
  [
    /^(UserDisable|InDebt|BucketDisable)/,
    Denied,
    (r) => `Object storage is not active for this account (${codeOf(r)}). Activate or renew it in its console.`,
  ],
  [
    (r, status) => (status === 403 || (status >= 300 && status < 400)) && ENDPOINT.test(r.page.endpoint),
    Refused,
    (r) => `The bucket ${r.bucket} is not at ${r.host} but at ${r.page.endpoint} (${codeOf(r)}). Set its region.`,
  ],
  [
    (_, status) => status >= 300 && status < 400,
    Refused,
    (r) => `${r.host} redirects (${codeOf(r)}), which is not followed. Check the region of the bucket ${r.bucket}.`,
  ],
  [
    /^InvalidObjectState/,
    Refused,
    (r) => `${r.place} lies in archive storage (${codeOf(r)}). Restore it first, then run the same command again.`,
  ],
  [
    /^(AccessDenied|AccessForbidden|Forbidden|NoPermission)|^HTTP40[13]$/,
    Denied,
    (r) =>
      `${r.action} is not allowed for ${r.place} (${codeOf(r)}). Attach this policy to the user or role: ${policyOf(r)}`,
  ],
  [/^NoSuchKey/, NotFound, (r) => `There is no object at ${r.place}.`],
  [/^NoSuchBucket/, NotFound, (r) => `There is no bucket ${r.bucket} at ${r.host}. Check its name and its region.`],
  [(_, status) => status === 404, NotFound, (r) => `There is nothing at ${r.place} (${codeOf(r)}).`],
];

/** The ArchiveError for a refused request. It never holds a key, a token or a signature. */
export const storageError = (refusal: Refusal): ArchiveError => {
  const { page, facts, host, place } = refusal;
  const status = facts.status ?? 0;
  const [, kind, messageFor] = table.find(([when]) =>
    when instanceof RegExp ? when.test(page.code) : when(refusal, status),
  ) ?? [undefined, Refused, () => `${host} refused ${place} (${codeOf(refusal)}, HTTP ${status}).`];
  return new kind(messageFor(refusal), facts);
};
