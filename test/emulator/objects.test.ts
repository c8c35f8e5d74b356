import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/index.ts";
import { s3SignatureCheck } from "../../src/emulator/s3-signature.ts";
import { Crc64 } from "../../src/http/crc64.ts";
import { type ObjectGet, s3Get } from "./s3-signer.ts";

const TEXT = "0123456789";
const MODIFIED = new Date("2025-07-15T08:00:00Z");
let emulator: Emulator;
let address: string;
beforeAll(async () => {
  emulator = await startEmulator({ calls: 1 });
  address = emulator.putObject({
    bucket: "records",
    key: "a/b c.wav",
    body: TEXT,
    type: "audio/wav",
    modifiedAt: MODIFIED,
  });
  emulator.putObject({ bucket: "records", key: "open.txt", body: TEXT, public: true });
});
beforeEach(() => {
  emulator.faults = {};
});
afterAll(() => emulator.close());

const PATH = "/records/a/b%20c.wav";
const get = (request: Partial<ObjectGet> = {}): Promise<Response> => s3Get(emulator.url, { path: PATH, ...request });
const open = (headers: Record<string, string> = {}, method = "GET"): Promise<Response> =>
  fetch(`${emulator.bucketUrl("records")}/open.txt`, { method, headers });
const codeOf = async (response: Response): Promise<[number, string | undefined]> => [
  response.status,
  /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1],
];

test("a private object is sent to whoever signs, a public one to everybody", async () => {
  expect(address).toBe(emulator.url + PATH);
  const response = await get();
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "accept-ranges": "bytes",
    "content-length": "10",
    "content-type": "audio/wav",
    etag: `"${createHash("md5").update(TEXT).digest("hex").toUpperCase()}"`,
    "content-md5": createHash("md5").update(TEXT).digest("base64"),
    "last-modified": "Tue, 15 Jul 2025 08:00:00 GMT",
    "x-oss-request-id": expect.stringMatching(/^[0-9A-F-]{36}$/),
  });
  expect(await response.text()).toBe(TEXT);
  expect(await (await open()).text()).toBe(TEXT);
  expect(await codeOf(await fetch(address))).toEqual([403, "AccessDenied"]);
});

test("the vendor's example of a signature is accepted", () => {
  const now = () => new Date("2013-05-24T00:00:00Z");
  const keys = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
  const check = s3SignatureCheck(keys, now);
  const headers = {
    host: "examplebucket.s3.amazonaws.com",
    range: "bytes=0-9",
    "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "x-amz-date": "20130524T000000Z",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  };
  expect(() => check({ method: "GET", path: "/test.txt", query: "", headers })).not.toThrow();
  expect(() => check({ method: "GET", path: "/test.txt", query: "a=1", headers })).toThrow("does not match");
});

test.each<[string, Partial<ObjectGet>, number, string]>([
  ["with an unknown key", { id: "somebody" }, 403, "InvalidAccessKeyId"],
  ["with the wrong secret", { secret: "guess" }, 403, "SignatureDoesNotMatch"],
  ["from an hour ago", { date: "20250101T000000Z" }, 403, "RequestTimeTooSkewed"],
  ["with a date that is none", { date: "yesterday" }, 403, "RequestTimeTooSkewed"],
  ["for another service", { scope: "20250101/cn-hangzhou/ice/aws4_request" }, 400, "InvalidArgument"],
  ["with the date unsigned", { unsigned: ["x-amz-date"] }, 403, "AccessDenied"],
  ["with the token unsigned", { token: "t", unsigned: ["x-amz-security-token"] }, 403, "AccessDenied"],
  ["of an object that does not exist", { path: "/records/none" }, 404, "NoSuchKey"],
  ["of a bucket that does not exist", { path: "/nowhere/none" }, 404, "NoSuchBucket"],
  ["that cannot be decoded", { path: "/records/%zz" }, 400, "InvalidURI"],
])("a request %s is refused", async (_, request, status, code) => {
  expect(await codeOf(await get(request))).toEqual([status, code]);
});

test("a security token may be signed, and actions can be denied", async () => {
  expect((await get({ token: "STS.token" })).status).toBe(200);
  const denying = await startEmulator({ calls: 0, deny: ["GetObject"] });
  denying.putObject({ bucket: "records", key: "k", body: "x" });
  expect(await codeOf(await s3Get(denying.url, { path: "/records/k" }))).toEqual([403, "AccessDenied"]);
  expect((await s3Get(denying.url, { path: "/records/", query: "list-type=2" })).status).toBe(200);
  await denying.close();
});

test.each<[range: string, status: number, body: string, contentRange: string | null]>([
  ["bytes=4-", 206, "456789", "bytes 4-9/10"],
  ["bytes=4-5", 206, "45", "bytes 4-5/10"],
  ["bytes=8-99", 206, "89", "bytes 8-9/10"],
  ["bytes=-3", 206, "789", "bytes 7-9/10"],
  ["bytes=-99", 206, TEXT, "bytes 0-9/10"],
  ["bytes=x", 200, TEXT, null],
  ["lines=1-2", 200, TEXT, null],
])("the range %s gives %i", async (range, status, body, contentRange) => {
  const response = await open({ range });
  expect([response.status, response.headers.get("content-range")]).toEqual([status, contentRange]);
  expect(response.headers.get("x-oss-hash-crc64ecma")).toBe(crcOf(Buffer.from(TEXT)));
  expect(await response.text()).toBe(body);
});

test("a range past the end, and conditions", async () => {
  expect(await codeOf(await open({ range: "bytes=10-" }))).toEqual([416, "InvalidRange"]);
  const etag = (await open()).headers.get("etag") ?? "";
  expect((await open({ range: "bytes=4-", "if-match": etag })).status).toBe(206);
  expect(await codeOf(await open({ range: "bytes=4-", "if-match": '"other"' }))).toEqual([412, "PreconditionFailed"]);
  expect((await open({ range: "bytes=4-", "if-range": etag })).status).toBe(206);
  expect((await open({ range: "bytes=4-", "if-range": '"other"' })).status).toBe(200);
});

test("HEAD gives the headers alone", async () => {
  const response = await open({}, "HEAD");
  expect([response.status, response.headers.get("content-length"), await response.text()]).toEqual([200, "10", ""]);
});

const crcOf = (bytes: Uint8Array): string => {
  const crc = new Crc64();
  crc.update(bytes);
  return crc.digest();
};

test("a generated object is the same each time, in parts and as a whole, and no two places of it are alike", async () => {
  const bytes = 700_001;
  emulator.putObject({ bucket: "records", key: "big", bytes, public: true });
  const link = `${emulator.bucketUrl("records")}/big`;
  const response = await fetch(link);
  const whole = Buffer.from(await response.arrayBuffer());
  expect(whole).toHaveLength(bytes);
  expect(response.headers.get("x-oss-hash-crc64ecma")).toBe(crcOf(whole));
  for (const from of [0, 1, 31, 262_143, 262_144, 262_145, 600_000, bytes - 1]) {
    const part = await fetch(link, { headers: { range: `bytes=${from}-` } });
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(from))).toBe(true);
  }
  expect(whole.subarray(0, 262_144).equals(whole.subarray(262_144, 524_288))).toBe(false);
});

test("a link works until it expires", async () => {
  expect(await (await fetch(emulator.objectLink("records", "a/b c.wav"))).text()).toBe(TEXT);
  expect(await codeOf(await fetch(emulator.objectLink("records", "a/b c.wav", -1)))).toEqual([403, "AccessDenied"]);
  const other = emulator.objectLink("records", "a/b c.wav").replace("b%20c", "other");
  expect(await codeOf(await fetch(other))).toEqual([403, "SignatureDoesNotMatch"]);
  emulator.faults = { expire: 1 };
  expect((await fetch(emulator.objectLink("records", "open.txt"))).status).toBe(403);
});

test("a bucket is listed in the order of its keys, page by page", async () => {
  for (const key of ["x/2 <&>", "x/10", "x/é", "x/+", "y"]) emulator.putObject({ bucket: "listed", key, body: key });
  const list = async (query: string): Promise<string> =>
    (await s3Get(emulator.url, { path: "/listed/", query })).text();
  const keysIn = (xml: string): string[] => [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => key);
  expect(keysIn(await list("list-type=2"))).toEqual(["x/+", "x/10", "x/2 &#60;&#38;&#62;", "x/é", "y"]);
  const first = await list("encoding-type=url&list-type=2&max-keys=3&prefix=x%2F");
  expect(keysIn(first)).toEqual(["x%2F%2B", "x%2F10", "x%2F2+%3C%26%3E"]);
  expect(first).toContain("<IsTruncated>true</IsTruncated>");
  const token = /<NextContinuationToken>([^<]+)</.exec(first)?.[1];
  const second = await list(`continuation-token=${token}&encoding-type=url&list-type=2&max-keys=3&prefix=x%2F`);
  expect(keysIn(second)).toEqual(["x%2F%C3%A9"]);
  expect(second).toContain("<IsTruncated>false</IsTruncated>");
  expect(await codeOf(await fetch(`${emulator.url}/listed/?list-type=2`))).toEqual([403, "AccessDenied"]);
});

test("breaks: so many bodies break off after so many bytes, then no more", async () => {
  emulator.faults = { breaks: 2, breakAfter: 4 };
  let text = "";
  const read = async (): Promise<string> => {
    text = "";
    const { body } = await open();
    for await (const piece of body ?? []) text += Buffer.from(piece).toString();
    return text;
  };
  for (const left of [1, 0]) {
    await expect(read()).rejects.toThrow();
    expect([text, emulator.faults.breaks]).toEqual(["0123", left]);
  }
  await expect(read()).resolves.toBe(TEXT);
});

test("other faults: error, cut and reset", async () => {
  emulator.faults = { error: 1 };
  expect((await open()).status).toBeGreaterThanOrEqual(500);
  for (const faults of [{ cut: 1 }, { reset: 1 }]) {
    emulator.faults = faults;
    await expect(open().then((response) => response.text())).rejects.toThrow();
  }
});

test("call logs and the API are where they were", async () => {
  expect((await fetch(`${emulator.url}/call-logs/none.json`)).status).toBe(404);
  expect((await fetch(emulator.url, { method: "HEAD" })).status).toBe(405);
});
