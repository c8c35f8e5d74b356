import { createHash, createHmac, randomUUID } from "node:crypto";

// Signs by hand, from the protocol's description: it shares nothing with the emulator's check.

const sha = (text: string): string => createHash("sha256").update(text).digest("hex");
const rfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

export interface Request {
  query?: Record<string, string>;
  body?: string;
  contentType?: string;
  action?: string;
  version?: string;
  id?: string;
  secret?: string;
  date?: string;
  nonce?: string;
  payload?: string;
  token?: string;
  /** Headers that are sent, but not signed. */
  unsigned?: string[];
  /** Headers that are signed, but not sent. */
  unsent?: string[];
}

export interface Reply {
  status: number;
  headers: Headers;
  body: Record<string, unknown> & { Instance?: Record<string, unknown>; Instances?: Record<string, unknown>[] };
}

const split = (query: Record<string, string>): string =>
  Object.keys(query)
    .sort()
    .map((name) => `${rfc3986(name)}=${rfc3986(query[name] ?? "")}`)
    .join("&");

export const signed = (url: string, request: Request): [string, RequestInit] => {
  const body = request.body ?? "";
  const query = split(request.query ?? {});
  const headers: Record<string, string> = {
    host: new URL(url).host,
    "x-acs-action": request.action ?? "DescribeAIAgentInstance",
    "x-acs-version": request.version ?? "2020-11-09",
    "x-acs-date": request.date ?? new Date().toISOString().replace(/\.\d+/, ""),
    "x-acs-signature-nonce": request.nonce ?? randomUUID(),
    "x-acs-content-sha256": request.payload ?? sha(body),
    ...(request.token !== undefined && { "x-acs-security-token": request.token }),
    ...(request.contentType !== undefined && { "content-type": request.contentType }),
  };
  const names = Object.keys(headers)
    .sort()
    .filter((name) => !request.unsigned?.includes(name));
  const canonical = `POST\n/\n${query}\n${names.map((name) => `${name}:${headers[name]}\n`).join("")}\n${names.join(";")}\n${headers["x-acs-content-sha256"]}`;
  const signature = createHmac("sha256", request.secret ?? "emulator-secret")
    .update(`ACS3-HMAC-SHA256\n${sha(canonical)}`)
    .digest("hex");
  headers.authorization = `ACS3-HMAC-SHA256 Credential=${request.id ?? "emulator-id"},SignedHeaders=${names.join(";")},Signature=${signature}`;
  for (const name of request.unsent ?? []) delete headers[name];
  delete headers.host;
  const bytes = body === "" ? null : Buffer.from(body);
  return [`${url}/${query && `?${query}`}`, { method: "POST", headers, body: bytes }];
};

export const send = async (url: string, request: Request): Promise<Reply> => {
  const response = await fetch(...signed(url, request));
  return { status: response.status, headers: response.headers, body: (await response.json()) as Reply["body"] };
};

export const describeCall = (url: string, InstanceId: string): Promise<Reply> => send(url, { query: { InstanceId } });

export const listCalls = (url: string, query: Record<string, string>): Promise<Reply> =>
  send(url, { action: "ListAIAgentInstance", query });
