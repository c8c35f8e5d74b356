import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { Agent } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createDownload, type DownloadOptions } from "../../src/http/download.ts";
import { SOAK } from "../helpers/soak.ts";
import { serve, type TestServer } from "./server.ts";

const dispatcher = new Agent({ bodyTimeout: 5000 });
let server: TestServer;
let handler: (request: IncomingMessage, response: ServerResponse) => void = () => {};
let hits = 0;
beforeAll(async () => {
  server = await serve((request, response) => {
    hits++;
    handler(request, response);
  });
});
afterEach(() => {
  hits = 0;
});
afterAll(() => Promise.all([server.close(), dispatcher.close()]));

const TEXT = Buffer.from(`{"instanceid":"i","dialog":[${'"字",'.repeat(500)}1]}`);
const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("base64");
const link = () => new URL(`${server.url}/logs/k.json?Expires=1&Signature=TOPSECRET`);
const get = (options: Partial<DownloadOptions> = {}, signal?: AbortSignal) =>
  createDownload({ dispatcher, loopback: true, retries: 0, sleep: async () => {}, ...options })(link(), signal);
const failure = async (options: Partial<DownloadOptions> = {}): Promise<Error> => {
  const error: unknown = await get(options).catch((e: unknown) => e);
  if (!(error instanceof Error)) throw new Error("It should have failed.");
  expect(error.message).not.toMatch(/TOPSECRET|Expires/);
  return error;
};
const answer =
  (status: number, headers: Record<string, string | number>, body: Uint8Array | string = "") =>
  (_: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(status, headers).end(body);

describe("a document", () => {
  it("has the bytes unchanged, and their SHA-256", async () => {
    let asked = "";
    handler = (request, response) => {
      asked = `${request.url} ${request.headers["accept-encoding"]}`;
      response.end(TEXT);
    };
    const { bytes, sha256 } = await get();
    expect(Buffer.from(bytes)).toEqual(TEXT);
    expect(sha256).toBe(createHash("sha256").update(TEXT).digest("hex"));
    expect(asked).toBe("/logs/k.json?Expires=1&Signature=TOPSECRET gzip");
  });

  it.each<[string, Buffer]>([
    ["gzip", gzipSync(TEXT)],
    ["GZIP", gzipSync(TEXT)],
    ["x-gzip", gzipSync(TEXT)],
    ["deflate", deflateSync(TEXT)],
    ["deflate", deflateRawSync(TEXT)],
    ["br", brotliCompressSync(TEXT)],
    ["identity", TEXT],
  ])("is decoded from %s", async (encoding, body) => {
    handler = answer(200, { "content-encoding": encoding, "content-md5": md5(body) }, body);
    expect(Buffer.from((await get()).bytes)).toEqual(TEXT);
    handler = answer(200, { "content-encoding": encoding, "content-md5": md5(TEXT) }, body);
    expect(Buffer.from((await get()).bytes)).toEqual(TEXT);
  });

  it("may be empty", async () => {
    handler = answer(200, { "content-encoding": "gzip" });
    expect((await get()).bytes).toHaveLength(0);
  });
});

describe("an incomplete document", () => {
  it.each<[string, typeof handler]>([
    [
      "ends before its length",
      (_, response) =>
        void response
          .writeHead(200, { "content-length": 5000 })
          .write(TEXT.subarray(0, 100), () => response.socket?.end()),
    ],
    [
      "is reset halfway",
      (_, response) =>
        void response
          .writeHead(200, { "content-length": 5000 })
          .write(TEXT.subarray(0, 100), () => response.socket?.resetAndDestroy()),
    ],
    [
      "ends before its last chunk",
      (_, response) =>
        void response
          .writeHead(200, { "transfer-encoding": "chunked" })
          .write(TEXT.subarray(0, 100), () => response.socket?.end()),
    ],
    ["is a gzip that ends early", answer(200, { "content-encoding": "gzip" }, gzipSync(TEXT).subarray(0, 40))],
    ["is no gzip at all", answer(200, { "content-encoding": "gzip" }, "<html>")],
    ["does not match its MD5", answer(200, { "content-md5": md5(Buffer.from("other")) }, TEXT)],
  ])("%s: it is incomplete and fetched again", async (_, broken) => {
    handler = broken;
    await expect(failure()).resolves.toMatchObject({ name: "CutShort", next: "retry" });
    hits = 0;
    const errors: string[] = [];
    const retrying = get({
      retries: 2,
      onRetry: ({ error }) => {
        errors.push(error.name);
        handler = answer(200, {}, TEXT);
      },
    });
    expect(Buffer.from((await retrying).bytes)).toEqual(TEXT);
    expect([hits, errors]).toEqual([2, ["CutShort"]]);
  });
});

describe("a document that is too large", () => {
  const maxBytes = 1024 * 1024;

  it("is refused by its announced length, unread", async () => {
    handler = (_, response) => void response.writeHead(200, { "content-length": maxBytes + 1 }).flushHeaders();
    await expect(failure({ maxBytes })).resolves.toMatchObject({ name: "Refused", facts: { code: "TooLarge" } });
  });

  it("is refused once the stream exceeds it", async () => {
    handler = (_, response) => {
      const more = (): void =>
        void (response.write(Buffer.alloc(65_536)) ? setImmediate(more) : response.once("drain", more));
      more();
      response.on("close", () => response.destroy());
    };
    await expect(failure({ maxBytes })).resolves.toMatchObject({ name: "Refused", facts: { code: "TooLarge" } });
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } })],
  ])("a %s bomb is refused without filling memory", async (encoding, pack) => {
    const bomb = pack(Buffer.alloc(100 * 1024 * 1024));
    handler = answer(200, { "content-encoding": encoding }, bomb);
    const before = process.memoryUsage().rss;
    await expect(failure({ maxBytes })).resolves.toMatchObject({ name: "Refused", facts: { code: "TooLarge" } });
    if (SOAK) expect(process.memoryUsage().rss - before).toBeLessThan(60 * 1024 * 1024);
  });
});

describe("an answer without a document", () => {
  const xml = (code: string, message = "m") =>
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message><StringToSign>GET TOPSECRET</StringToSign></Error>`;
  const facts = { requestId: "OSS-1" };
  const oss = { "x-oss-request-id": "OSS-1" };

  it.each<[number, string, string, string]>([
    [403, xml("AccessDenied", "Request has expired."), "LinkExpired", "AccessDenied"],
    [403, xml("SecurityTokenExpired"), "LinkExpired", "SecurityTokenExpired"],
    [403, xml("AccessDenied", "Anonymous access is forbidden"), "Refused", "AccessDenied"],
    [403, xml("SignatureDoesNotMatch"), "Refused", "SignatureDoesNotMatch"],
    [403, "<html>", "Refused", "HTTP403"],
    [404, xml("NoSuchKey"), "NotFound", "NoSuchKey"],
    [404, xml("NoSuchBucket"), "Refused", "NoSuchBucket"],
    [404, "", "Refused", "HTTP404"],
    [400, xml("&lt;evil&gt;"), "Refused", "HTTP400"],
    [206, "half", "Refused", "HTTP206"],
    [408, "", "Unavailable", "HTTP408"],
    [429, "", "Throttled", "HTTP429"],
    [500, xml("InternalError"), "Unavailable", "InternalError"],
    [502, "<html>", "Unavailable", "HTTP502"],
    [503, xml("ServerBusy"), "Unavailable", "ServerBusy"],
  ])("%i %s is %s", async (status, body, name, code) => {
    handler = answer(status, oss, body);
    await expect(failure()).resolves.toMatchObject({ name, facts: { ...facts, status, code } });
  });

  it("says how long to wait", async () => {
    handler = answer(503, { "retry-after": "7" });
    await expect(failure()).resolves.toMatchObject({ facts: { retryAfterMs: 7000 } });
  });

  it("is read only up to the limit of an error page", async () => {
    handler = (_, response) => {
      response.writeHead(403);
      const more = (): void =>
        void (response.write("<Code>".repeat(10_000)) ? setImmediate(more) : response.once("drain", more));
      more();
      response.on("close", () => response.destroy());
    };
    await expect(failure()).resolves.toMatchObject({ name: "Refused", facts: { code: "HTTP403" } });
  });

  it("is refused in an unknown encoding", async () => {
    handler = answer(200, { "content-encoding": "gzip, gzip" }, TEXT);
    await expect(failure()).resolves.toMatchObject({ name: "Refused", facts: { code: "UnknownEncoding" } });
  });
});

describe("redirects", () => {
  it("are followed three times", async () => {
    handler = (request, response) => {
      const hop = Number(request.url?.slice(2) || 0) || 0;
      if (hop === 3) response.end(TEXT);
      else answer(302, { location: `/h${hop + 1}` })(request, response);
    };
    expect(Buffer.from((await get()).bytes)).toEqual(TEXT);
  });

  it("are refused the fourth time", async () => {
    handler = answer(307, { location: "/again" });
    await expect(failure()).resolves.toMatchObject({ name: "Refused", facts: { code: "TooManyRedirects" } });
    expect(hits).toBe(4);
  });

  it.each(["https://evil.example/?Signature=TOPSECRET", "http://10.0.0.1/", "//evil.example/", "file:///etc/passwd"])(
    "are refused to %s",
    async (location) => {
      handler = answer(302, { location });
      await expect(failure()).resolves.toMatchObject({ name: "Refused", facts: { code: "ForbiddenHost" } });
    },
  );

  it("are refused without a location", async () => {
    handler = answer(302, {});
    await expect(failure()).resolves.toMatchObject({ name: "Refused", facts: { code: "HTTP302" } });
  });
});

describe("time", () => {
  it("limits a server that never ends its answer", async () => {
    handler = (_, response) => void response.writeHead(200).write("{");
    await expect(failure({ totalTimeoutMs: 50 })).resolves.toMatchObject({
      name: "Unavailable",
      facts: { code: "Timeout" },
    });
  });

  it("ends at once, with the reason, when aborted", async () => {
    const controller = new AbortController();
    handler = (_, response) => {
      response.writeHead(200).write("{");
      controller.abort(new Error("enough"));
    };
    await expect(get({ retries: 5 }, controller.signal)).rejects.toThrow("enough");
    expect(hits).toBe(1);
  });
});

it("a forbidden host is not even looked up, and the message names it and the flag", async () => {
  const download = createDownload({ dispatcher });
  await expect(download(new URL("https://bucket.example/k?Signature=s"))).rejects.toThrow(
    "Not downloaded: bucket.example is not a host of Alibaba Cloud; if you trust it, add --allow-host bucket.example.",
  );
});

it("keeps connections alive and listeners few over many documents", async () => {
  const own = await serve(answer(200, {}, TEXT));
  let connections = 0;
  own.server.on("connection", () => connections++);
  const warnings: Error[] = [];
  process.on("warning", (warning) => warnings.push(warning));
  const { signal } = new AbortController();
  const pool = new Agent({ connections: 8 });
  const download = createDownload({ dispatcher: pool, loopback: true });
  await Promise.all(Array.from({ length: 500 }, () => download(new URL(own.url), signal)));
  await Promise.all([pool.close(), own.close()]);
  expect(connections).toBeLessThanOrEqual(8);
  expect(warnings).toEqual([]);
});
