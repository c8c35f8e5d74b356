import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, type Dispatcher } from "undici";
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { ArchiveError } from "../../src/core/errors.ts";
import type { ObjectFacts, ObjectStorage, OpenFile } from "../../src/core/media.ts";
import { type Emulator, startEmulator } from "../../src/emulator/index.ts";
import { createObjectStorage, type ObjectStorageOptions } from "../../src/object-storage/client.ts";
import { serve, type TestServer } from "../http/server.ts";

const dispatcher = new Agent({ bodyTimeout: 5000 });
let emulator: Emulator;
let server: TestServer;
let handler: (request: IncomingMessage, response: ServerResponse) => void = () => {};
beforeAll(async () => {
  emulator = await startEmulator({ calls: 0 });
  server = await serve((request, response) => handler(request, response));
});
beforeEach(() => {
  emulator.faults = {};
});
afterAll(() => Promise.all([emulator.close(), server.close(), dispatcher.close()]));

const KEY = { accessKeyId: "emulator-id", accessKeySecret: "emulator-secret" };
const TOKEN = "STS.TOPSECRET";
const storage = (options: Partial<ObjectStorageOptions> & { key?: object } = {}): ObjectStorage =>
  createObjectStorage({
    dispatcher,
    region: "cn-hangzhou",
    endpoint: new URL(emulator.url),
    credentials: { get: async () => ({ ...KEY, ...options.key }) },
    userAgent: "callarchive-test",
    retries: 2,
    sleep: async () => {},
    ...options,
  });
const ofServer = (options: Partial<ObjectStorageOptions> = {}) =>
  storage({ endpoint: new URL(server.url), ...options });

const { signal } = new AbortController();
const textOf = async ({ body }: OpenFile): Promise<string> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
};
const listed = async (from: ObjectStorage, bucket: string, prefix = ""): Promise<ObjectFacts[][]> => {
  const pages: ObjectFacts[][] = [];
  for await (const page of from.list(bucket, prefix)) pages.push(page);
  return pages;
};
const failure = async (work: Promise<unknown>): Promise<ArchiveError> => {
  const error: unknown = await work.catch((e: unknown) => e);
  if (!(error instanceof ArchiveError)) throw error;
  expect(error.message).not.toMatch(/emulator-(id|secret)|TOPSECRET|Signature=|[0-9a-f]{64}/);
  return error;
};

describe("open", () => {
  const HOSTILE = [
    "plain.wav",
    "a b+c%25.wav",
    "通话/é.mp4",
    "a/../b/./c",
    "a//b",
    "!'()*~.-_",
    "\u0000\u202e\n",
    "?q=1#f",
    "x".repeat(1023),
  ];

  it.each(HOSTILE)("reads the object %j", async (key) => {
    emulator.putObject({ bucket: "records", key, body: `body of ${key}` });
    const file = await storage().open({ bucket: "records", key }, 0, undefined, signal);
    expect(await textOf(file)).toBe(`body of ${key}`);
  });

  it("reads from a byte on, if the object is still the same; another one comes whole", async () => {
    const place = { bucket: "records", key: "k" };
    emulator.putObject({ ...place, body: "0123456789" });
    const whole = await storage().open(place, 0, undefined, signal);
    expect(whole).toMatchObject({ from: 0, bytes: 10, etag: expect.any(String), crc64: expect.any(String) });
    await textOf(whole);
    const rest = await storage().open(place, 4, whole.etag, signal);
    expect([rest.from, rest.bytes, rest.etag, rest.crc64]).toEqual([4, 10, whole.etag, whole.crc64]);
    expect(await textOf(rest)).toBe("456789");
    emulator.putObject({ ...place, body: "abcdefghij" });
    const other = await storage().open(place, 4, whole.etag, signal);
    expect([other.from, await textOf(other)]).toEqual([0, "abcdefghij"]);
  });

  it("works with a temporary key, whose token is sent and signed", async () => {
    emulator.putObject({ bucket: "records", key: "k", body: "x" });
    const file = await storage({ key: { securityToken: TOKEN } }).open(
      { bucket: "records", key: "k" },
      0,
      undefined,
      signal,
    );
    expect(await textOf(file)).toBe("x");
  });

  it("is one attempt", async () => {
    const before = emulator.stats.requests.download ?? 0;
    emulator.faults = { error: 1 };
    await expect(storage().open({ bucket: "records", key: "k" }, 0, undefined, signal)).rejects.toMatchObject({
      next: "retry",
    });
    expect(emulator.stats.requests.download).toBe(before + 1);
  });

  it.each([
    { bucket: "Records", key: "k" },
    { bucket: "records/x", key: "k" },
    { bucket: "records", key: "/k" },
    { bucket: "records", key: "" },
  ])("does not ask for %j", async (place) => {
    await expect(storage().open(place, 0, undefined, signal)).rejects.toThrow("is not a place in object storage");
  });
});

describe("list", () => {
  it("gives all objects with a prefix, page by page, in the order of their keys", async () => {
    const modifiedAt = new Date("2025-07-15T08:00:00Z");
    for (let i = 0; i < 2345; i++)
      emulator.putObject({ bucket: "many", key: `r/${String(i).padStart(5, "0")} +é.mp4`, bytes: i, modifiedAt });
    emulator.putObject({ bucket: "many", key: "other", bytes: 1 });
    const pages = await listed(storage(), "many", "r/");
    expect(pages.map((page) => page.length)).toEqual([1000, 1000, 345]);
    expect(pages.flat()[2001]).toEqual({ bucket: "many", key: "r/02001 +é.mp4", bytes: 2001, modifiedAt });
    expect(new Set(pages.flat().map(({ key }) => key)).size).toBe(2345);
    expect(await listed(storage(), "many", "none/")).toEqual([[]]);
  });

  it("repeats a request that failed", async () => {
    emulator.putObject({ bucket: "few", key: "k", bytes: 1 });
    emulator.faults = { error: 1 };
    const retries: string[] = [];
    const onRetry: ObjectStorageOptions["onRetry"] = ({ action, item }) => {
      retries.push(`${action} ${item}`);
      emulator.faults = {};
    };
    expect(await listed(storage({ onRetry }), "few")).toHaveLength(1);
    expect(retries).toEqual(["ListObjects oss://few"]);
  });

  it("ends when the pages do not advance", async () => {
    emulator.putObject({ bucket: "few", key: "k", bytes: 1 });
    emulator.faults = { repeat: 1 };
    await expect(listed(storage(), "few")).rejects.toMatchObject({ facts: { code: "PageRepeats" } });
  });

  it.each([
    ["a page that is too large", "x".repeat(9 * 1024 * 1024), "TooLarge"],
    ["a page that is no listing", "<html></html>", "InvalidAnswer"],
  ])("refuses %s", async (_, body, code) => {
    handler = (__, response) => void response.end(body);
    await expect(failure(listed(ofServer(), "few"))).resolves.toMatchObject({ facts: { code } });
  });

  it("does not ask for a bucket that cannot be", async () => {
    await expect(listed(storage(), "../etc")).rejects.toThrow('"../etc" is not the name of a bucket');
  });

  it("ends with its signal", async () => {
    await expect(listed2(AbortSignal.abort(new Error("Stopped.")))).rejects.toThrow("Stopped.");
  });
  const listed2 = async (stopped: AbortSignal): Promise<void> => {
    for await (const _ of storage().list("few", "", stopped)) throw new Error("It should have stopped.");
  };
});

describe("errors", () => {
  const open = (options: Parameters<typeof storage>[0] = {}, key = "none") =>
    failure(storage(options).open({ bucket: "records", key }, 0, undefined, signal));

  it("of the emulator", async () => {
    emulator.putObject({ bucket: "records", key: "k", body: "x" });
    await expect(open()).resolves.toMatchObject({
      name: "NotFound",
      message: "There is no object at oss://records/none.",
      facts: { code: "NoSuchKey", status: 404, requestId: expect.stringMatching(/^[0-9A-F-]{36}$/) },
    });
    await expect(failure(listed(storage(), "nowhere"))).resolves.toMatchObject({
      name: "NotFound",
      message: expect.stringMatching(
        /^There is no bucket nowhere at 127\.0\.0\.1:\d+\. Check its name and its region\.$/,
      ),
    });
    await expect(open({ key: { accessKeyId: "other" } })).resolves.toMatchObject({ name: "BadCredentials" });
    await expect(open({ key: { accessKeySecret: "other" } })).resolves.toMatchObject({ name: "BadCredentials" });
    await expect(open({ now: () => Date.now() - 3_600_000 })).resolves.toMatchObject({
      name: "ClockSkewed",
      message: expect.stringContaining("The clock of this machine is 60 minutes behind"),
    });
  });

  it("names the action that RAM must allow, with a policy", async () => {
    const denying = await startEmulator({ calls: 0, deny: ["GetObject", "ListObjects"] });
    denying.putObject({ bucket: "records", key: "a?b", body: "x" });
    const endpoint = new URL(denying.url);
    const opening = storage({ endpoint }).open({ bucket: "records", key: "a?b" }, 0, undefined, signal);
    await expect(failure(opening)).resolves.toMatchObject({
      name: "Denied",
      message:
        'oss:GetObject is not allowed for oss://records/a%3Fb (AccessDenied). Attach this policy to the user or role: {"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:GetObject"],"Resource":["acs:oss:*:*:records/*"]}]}',
    });
    await expect(failure(listed(storage({ endpoint }), "records"))).resolves.toMatchObject({
      name: "Denied",
      message: expect.stringMatching(/^oss:ListObjects is not allowed for oss:\/\/records \(.*"acs:oss:\*:\*:records"/),
    });
    await denying.close();
  });

  const xml = (code: string, more = ""): string =>
    `<?xml version="1.0"?>\n<Error>\n  <Code>${code}</Code><Message>GET\n/records TOPSECRET</Message>${more}</Error>`;
  it.each<[status: number, body: string, name: string, message: string]>([
    [503, xml("SlowDown"), "Throttled", "asks to slow down (SlowDown)"],
    [429, "", "Throttled", "asks to slow down (HTTP429)"],
    [403, xml("DownloadTrafficRateLimitExceeded"), "Throttled", "asks to slow down"],
    [500, xml("InternalError"), "Unavailable", "failed temporarily (InternalError, HTTP 500)"],
    [502, "<h1>Bad Gateway</h1>", "Unavailable", "failed temporarily (HTTP502, HTTP 502)"],
    [400, xml("RequestTimeout"), "Unavailable", "failed temporarily"],
    [403, xml("SecurityTokenExpired"), "BadCredentials", "temporary key's security token"],
    [403, xml("InvalidSecurityToken"), "BadCredentials", "temporary key's security token"],
    [403, xml("UserDisable"), "Denied", "not active for this account"],
    [403, xml("InvalidObjectState"), "Refused", "oss://records/k lies in archive storage"],
    [403, "", "Denied", "oss:GetObject is not allowed"],
    [
      403,
      xml("AccessDenied", "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>"),
      "Refused",
      "but at oss-cn-beijing.aliyuncs.com",
    ],
    [403, xml("AccessDenied", "<Endpoint>evil.example</Endpoint>"), "Denied", "oss:GetObject is not allowed"],
    [307, xml("TemporaryRedirect"), "Refused", "redirects (TemporaryRedirect), which is not followed"],
    [404, "", "NotFound", "There is nothing at oss://records/k (HTTP404)"],
    [400, xml("InvalidArgument"), "Refused", "refused oss://records/k (InvalidArgument, HTTP 400)"],
    [400, xml("<b>\u001b[31m</b>"), "Refused", "refused oss://records/k (HTTP400, HTTP 400)"],
    [416, xml("InvalidRange"), "Refused", "InvalidRange"],
  ])("%i with %j is %s", async (status, body, name, message) => {
    handler = (_, response) => void response.writeHead(status, { location: `${server.url}/elsewhere` }).end(body);
    const error = await failure(ofServer().open({ bucket: "records", key: "k" }, 0, undefined, signal));
    expect([error.name, error.facts.status]).toEqual([name, status]);
    expect(error.message).toContain(message);
  });

  it("shows the service's finer code, and its Retry-After", async () => {
    handler = (_, response) =>
      void response.writeHead(503, { "x-oss-ec": "0003-00000001", "retry-after": "3" }).end(xml("SlowDown"));
    const error = await failure(ofServer().open({ bucket: "records", key: "k" }, 0, undefined, signal));
    expect([error.message, error.facts.retryAfterMs]).toEqual([
      expect.stringContaining("(SlowDown, 0003-00000001)"),
      3000,
    ]);
  });
});

describe("addresses", () => {
  /** A dispatcher that notes what is requested, and sends nothing. */
  const asked = async (options: Partial<ObjectStorageOptions>): Promise<Dispatcher.RequestOptions> => {
    const requests: Dispatcher.RequestOptions[] = [];
    const noting = {
      request: async (request: Dispatcher.RequestOptions) => {
        requests.push(request);
        throw new Error("not sent");
      },
    } as unknown as Dispatcher;
    const { endpoint: _, ...plain } = { endpoint: undefined, ...options };
    const client = createObjectStorage({
      dispatcher: noting,
      region: "cn-hangzhou",
      credentials: { get: async () => ({ ...KEY, securityToken: TOKEN }) },
      userAgent: "callarchive-test",
      now: () => Date.parse("2025-11-20T08:15:00Z"),
      ...plain,
      ...(options.endpoint && { endpoint: options.endpoint }),
    });
    await expect(client.open({ bucket: "records", key: "a b/c" }, 7, '"e"', signal)).rejects.toThrow("not sent");
    return requests[0] as Dispatcher.RequestOptions;
  };

  test("the bucket comes before the host, and the region is signed as in the vendor's example", async () => {
    const { origin, path, headers } = await asked({});
    expect([origin, path]).toEqual(["https://records.s3.oss-cn-hangzhou.aliyuncs.com", "/a%20b/c"]);
    expect(headers).toMatchObject({
      host: "records.s3.oss-cn-hangzhou.aliyuncs.com",
      "x-amz-date": "20251120T081500Z",
      "X-Amz-Security-Token": TOKEN,
      range: "bytes=7-",
      "if-match": '"e"',
      "user-agent": "callarchive-test",
      Authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=emulator-id\/20251120\/cn-hangzhou\/s3\/aws4_request, SignedHeaders=host;if-match;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
      ),
    });
  });

  test("an endpoint can be given, also one that is the domain of a bucket", async () => {
    const endpoint = new URL("https://s3.oss-cn-hangzhou-internal.aliyuncs.com");
    expect(await asked({ endpoint })).toMatchObject({
      origin: "https://records.s3.oss-cn-hangzhou-internal.aliyuncs.com",
    });
    const own = new URL("https://media.example.com");
    expect(await asked({ endpoint: own, isBucketDomain: true })).toMatchObject({ origin: "https://media.example.com" });
  });

  test.each(["http://oss.example", "https://u:p@oss.example", "https://oss.example/x", "https://oss.example/?x"])(
    "%s is no endpoint",
    (endpoint) => {
      expect(() => storage({ endpoint: new URL(endpoint) })).toThrow("must be an https URL");
    },
  );

  test("a region is part of a host name, so it is checked", () => {
    expect(() => storage({ region: "evil.example/" })).toThrow("is not a region");
  });
});
