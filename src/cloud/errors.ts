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
import { helpAddress } from "./help-address.ts";
import { quotable } from "./quote.ts";

/** An answer other than success, as either client saw it. */
export interface Failure {
  /** Absent when the body was not the service's JSON. */
  code?: string | undefined;
  message?: string | undefined;
  /** The address at which the service explains the error. */
  recommend?: string | undefined;
  status?: number | undefined;
  requestId?: string | undefined;
  retryAfterMs?: number | undefined;
  /** The Date header. */
  date?: string | undefined;
}

/** What was asked, by whom. */
export interface Asked {
  /** RAM's name of the service. */
  product: string;
  action: string;
  host: string;
  /** Milliseconds since 1970, by our clock. */
  now: number;
  /** Never to be shown: key id, secret, token. */
  secrets: readonly (string | undefined)[];
}

interface Case extends Asked {
  code: string;
  /** The service's own words, safe to show; "" when there are none. */
  words: string;
  date: string | undefined;
}

type Kind = new (message: string, facts: ErrorFacts) => ArchiveError;
type Row = [when: RegExp | ((code: string, status: number) => boolean), kind: Kind, say: (c: Case) => string];

const tail = ({ words, code }: Case): string => (words ? `${code}: ${words}` : code);

const policy = ({ product, action }: Case): string =>
  JSON.stringify({
    Version: "1",
    Statement: [{ Effect: "Allow", Action: [`${product}:${action}`], Resource: ["*"] }],
  });

const skew = ({ date, now }: Case): string => {
  const minutes = date === undefined ? Number.NaN : (now - Date.parse(date)) / 60_000;
  if (Number.isNaN(minutes)) return "more than 15 minutes off";
  return `${Math.abs(minutes).toFixed(Math.abs(minutes) < 10 ? 1 : 0)} minutes ${minutes > 0 ? "ahead" : "behind"}`;
};

/** The first row that fits decides: the order tells `InvalidAccessKeyId.NotFound` from a call that is not found. */
const table: readonly Row[] = [
  [
    (code, status) => status === 429 || /throttl|flowcontrol/i.test(code),
    Throttled,
    (c) => `${c.host} asks to slow down: the account is over its quota (${tail(c)}).`,
  ],
  [/^SignatureNonceUsed/, Unavailable, (c) => `${c.host} has seen this request before (${c.code}).`],
  [
    /^(InvalidTimeStamp|IllegalTimestamp)/i,
    ClockSkewed,
    (c) => `The clock of this machine is ${skew(c)}, and ${c.host} accepts 15 minutes (${c.code}). Set the clock.`,
  ],
  [
    /^(InvalidSecurityToken|MissingSecurityToken|SecurityTokenExpired)/,
    BadCredentials,
    (c) =>
      `${c.host} no longer accepts the temporary key's security token (${c.code}). Sign in again, or get a new one.`,
  ],
  [
    /^(InvalidAccessKeyId|MissingAccessKeyId|InvalidAccessKey)/,
    BadCredentials,
    (c) => `${c.host} does not know the access key id, or it is disabled (${c.code}). Check which key is in use.`,
  ],
  [
    /^(SignatureDoesNotMatch|IncompleteSignature)/,
    BadCredentials,
    (c) =>
      `${c.host} does not accept the signature (${c.code}): the access key secret does not belong to the access key id.`,
  ],
  [
    /^(ServiceNotEnable|ServiceNotOpen|NotActivated)|InDebt|Arrear|Overdue/i,
    Denied,
    (c) => `The service is not active for this account (${tail(c)}). Activate or renew it in the console.`,
  ],
  [
    /^(Forbidden|NoPermission|AccessDenied|Unauthorized|ImplicitDeny|ExplicitDeny)/,
    Denied,
    (c) =>
      `RAM does not allow ${c.product}:${c.action} (${tail(c)}). Attach this policy to the user or role: ${policy(c)}`,
  ],
  [
    /^(InvalidAction|InvalidVersion|UnsupportedHTTPMethod|InvalidApi)/,
    Refused,
    (c) => `${c.host} does not offer ${c.action} (${tail(c)}). Check --region and --endpoint.`,
  ],
  [
    (code, status) => status >= 500 || /^(ServiceUnavailable|InternalError)/.test(code),
    Unavailable,
    (c) => `${c.host} failed in passing (${tail(c)}).`,
  ],
  [/^InvalidParameter/, Refused, (c) => `${c.action} was refused as wrong (${tail(c)}).`],
  [/NotFound|NotExist/, NotFound, (c) => `${c.action}: no such thing in this account and region (${tail(c)}).`],
];

/** A failure as the error that says what happens next. The facts keep code, request id, status and Retry-After. */
export const apiError = (failure: Failure, asked: Asked): ArchiveError => {
  const { status = 0, requestId, retryAfterMs, date } = failure;
  const given = /^[\w.:-]{1,100}$/.test(failure.code ?? "") ? failure.code : undefined;
  const code = given ?? `HTTP${status}`;
  const row = table.find(([when]) => (when instanceof RegExp ? when.test(code) : when(code, status)));
  const words = quotable(failure.message ?? "", asked.secrets);
  const [, kind, say]: Row = row ?? [/./, Refused, (c) => `${c.action} was refused (${tail(c)}).`];
  const help = helpAddress(failure.recommend ?? "", asked.secrets);
  return new kind(say({ ...asked, code, words, date }) + (help ? ` See ${help}` : ""), {
    code,
    ...(requestId && { requestId }),
    ...(status > 0 && { status }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
};
