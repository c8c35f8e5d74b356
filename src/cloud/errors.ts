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

/** An error answer, from either client. */
export interface Failure {
  /** Absent when the body was not JSON of the service. */
  code?: string | undefined;
  message?: string | undefined;
  /** The address of the service's page about the error. */
  recommend?: string | undefined;
  status?: number | undefined;
  requestId?: string | undefined;
  retryAfterMs?: number | undefined;
  /** The Date header. */
  date?: string | undefined;
}

/** The request that failed. */
export interface RequestInfo {
  /** RAM's name of the service. */
  product: string;
  action: string;
  host: string;
  /** Milliseconds since 1970, by our clock. */
  now: number;
  /** Values that no message may contain: key id, secret, token. */
  secrets: readonly (string | undefined)[];
}

interface ErrorCase extends RequestInfo {
  code: string;
  /** The service's message without secrets; "" when there is none. */
  serviceMessage: string;
  date: string | undefined;
}

type Kind = new (message: string, facts: ErrorFacts) => ArchiveError;
type Row = [
  when: RegExp | ((code: string, status: number) => boolean),
  kind: Kind,
  messageFor: (c: ErrorCase) => string,
];

const codeAndMessage = ({ serviceMessage, code }: ErrorCase): string =>
  serviceMessage ? `${code}: ${serviceMessage}` : code;

const ramPolicy = ({ product, action }: ErrorCase): string =>
  JSON.stringify({
    Version: "1",
    Statement: [{ Effect: "Allow", Action: [`${product}:${action}`], Resource: ["*"] }],
  });

const clockOffset = ({ date, now }: ErrorCase): string => {
  const minutes = date === undefined ? Number.NaN : (now - Date.parse(date)) / 60_000;
  if (Number.isNaN(minutes)) return "more than 15 minutes off";
  return `${Math.abs(minutes).toFixed(Math.abs(minutes) < 10 ? 1 : 0)} minutes ${minutes > 0 ? "ahead" : "behind"}`;
};

/** The first matching row counts. `InvalidAccessKeyId.NotFound` must come before `NotFound`. */
const table: readonly Row[] = [
  [
    (code, status) => status === 429 || /throttl|flowcontrol/i.test(code),
    Throttled,
    (c) => `${c.host} asks to slow down: the account is over its quota (${codeAndMessage(c)}).`,
  ],
  [/^SignatureNonceUsed/, Unavailable, (c) => `${c.host} has already received this request (${c.code}).`],
  [
    /^(InvalidTimeStamp|IllegalTimestamp)/i,
    ClockSkewed,
    (c) =>
      `The clock of this machine is ${clockOffset(c)}, and ${c.host} accepts 15 minutes (${c.code}). Set the clock.`,
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
    (c) =>
      `The service is not active for this account (${codeAndMessage(c)}). Activate or renew it in its console: https://${c.product}.console.aliyun.com${c.action === "QueryAskLumaLog" ? " (EventBridge, and its natural-language queries)" : ""}`,
  ],
  [
    /^(Forbidden|NoPermission|AccessDenied|Unauthorized|ImplicitDeny|ExplicitDeny)/,
    Denied,
    (c) =>
      `RAM does not allow ${c.product}:${c.action} (${codeAndMessage(c)}). Attach this policy to the user or role: ${ramPolicy(c)}`,
  ],
  [
    /^(InvalidAction|InvalidVersion|UnsupportedHTTPMethod|InvalidApi)/,
    Refused,
    (c) =>
      `${c.host} does not offer ${c.action} (${codeAndMessage(c)}). Check the flags that set the region and the endpoint.`,
  ],
  [
    (code, status) => status >= 500 || /^(ServiceUnavailable|InternalError)/.test(code),
    Unavailable,
    (c) => `${c.host} failed temporarily (${codeAndMessage(c)}).`,
  ],
  [/^InvalidParameter/, Refused, (c) => `The service refused the parameters of ${c.action} (${codeAndMessage(c)}).`],
  [/NotFound|NotExist/, NotFound, (c) => `${c.action}: not found in this account and region (${codeAndMessage(c)}).`],
];

/** The ArchiveError for a failure. Its facts keep code, request id, status and Retry-After. */
export const apiError = (failure: Failure, request: RequestInfo): ArchiveError => {
  const { status = 0, requestId, retryAfterMs, date } = failure;
  const validCode = /^[\w.:-]{1,100}$/.test(failure.code ?? "") ? failure.code : undefined;
  const code = validCode ?? `HTTP${status}`;
  const row = table.find(([when]) => (when instanceof RegExp ? when.test(code) : when(code, status)));
  const serviceMessage = quotable(failure.message ?? "", request.secrets);
  const [, kind, messageFor]: Row = row ?? [/./, Refused, (c) => `${c.action} was refused (${codeAndMessage(c)}).`];
  const help = helpAddress(failure.recommend ?? "", request.secrets);
  return new kind(messageFor({ ...request, code, serviceMessage, date }) + (help ? ` See ${help}` : ""), {
    code,
    ...(requestId && { requestId }),
    ...(status > 0 && { status }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
};
