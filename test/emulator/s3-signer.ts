import { createHash, createHmac } from "node:crypto";

// Signs by hand, from the description of S3's Signature Version 4: it shares nothing with the emulator's check.

const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

export interface ObjectGet {
  method?: string;
  /** Percent-encoded. */
  path: string;
  /** Encoded, and in the order of the names. */
  query?: string;
  headers?: Record<string, string>;
  id?: string;
  secret?: string;
  /** `20251120T081500Z` */
  date?: string;
  scope?: string;
  token?: string;
  /** Headers that are sent, but not signed. */
  unsigned?: string[];
}

export const s3Get = (url: string, request: ObjectGet): Promise<Response> => {
  const { method = "GET", path, query = "", id = "emulator-id", secret = "emulator-secret" } = request;
  const date = request.date ?? new Date().toISOString().replace(/[:-]|\.\d+/g, "");
  const headers: Record<string, string> = {
    host: new URL(url).host,
    "x-amz-content-sha256": EMPTY,
    "x-amz-date": date,
    ...(request.token !== undefined && { "x-amz-security-token": request.token }),
    ...request.headers,
  };
  const names = Object.keys(headers)
    .sort()
    .filter((name) => !request.unsigned?.includes(name));
  const canonical = [method, path, query, ...names.map((n) => `${n}:${headers[n]}`), "", names.join(";"), EMPTY];
  const scope = request.scope ?? `${date.slice(0, 8)}/cn-hangzhou/s3/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${createHash("sha256").update(canonical.join("\n")).digest("hex")}`;
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${secret}`);
  const signature = hmac(key, toSign).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const { host: _, ...sent } = headers;
  return fetch(`${url}${path}${query && `?${query}`}`, { method, headers: { ...sent, authorization } });
};
