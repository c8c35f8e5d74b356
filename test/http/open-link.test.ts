import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { OpenFile } from "../../src/core/media.ts";
import { type Emulator, startEmulator } from "../../src/emulator/index.ts";
import { openLink } from "../../src/http/open-file.ts";
import { serve, type TestServer } from "./server.ts";

const dispatcher = new Agent({ bodyTimeout: 5000 });
let server: TestServer;
let emulator: Emulator;
let handler: (request: IncomingMessage, response: ServerResponse) => void = () => {};
beforeAll(async () => {
  server = await serve((request, response) => handler(request, response));
  emulator = await startEmulator({ calls: 0 });
  emulator.putObject({ bucket: "records", key: "k.wav", body: "0123456789" });
});
afterAll(() => Promise.all([server.close(), emulator.close(), dispatcher.close()]));

const { signal } = new AbortController();
const permission = { allowHosts: [], loopback: true };
const open = (from = 0, etag?: string): Promise<OpenFile> =>
  openLink(dispatcher, new URL(`${server.url}/a/k.wav?Signature=TOPSECRET`), permission)(from, etag, signal);
const textOf = async ({ body }: OpenFile): Promise<string> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
};
const failure = async (opening: Promise<OpenFile>): Promise<Error> => {
  const error: unknown = await opening.then(textOf).catch((e: unknown) => e);
  if (!(error instanceof Error)) throw new Error("It should have failed.");
  expect(error.message).not.toMatch(/TOPSECRET|Signature/);
  return error;
};

it("opens a signed link, from any byte on, and says what the file is", async () => {
  const link = new URL(emulator.objectLink("records", "k.wav"));
  const whole = await openLink(dispatcher, link, permission)(0, undefined, signal);
  expect(whole).toMatchObject({ from: 0, bytes: 10, md5: expect.stringMatching(/^[0-9a-f]{32}$/) });
  const { etag, crc64 } = whole;
  expect(await textOf(whole)).toBe("0123456789");
  const rest = await openLink(dispatcher, link, permission)(4, etag, signal);
  expect(rest).toMatchObject({ from: 4, bytes: 10, etag, crc64 });
  expect(rest).not.toHaveProperty("md5");
  expect(await textOf(rest)).toBe("456789");
});

it("another file comes whole", async () => {
  const link = new URL(emulator.objectLink("records", "k.wav"));
  const file = await openLink(dispatcher, link, permission)(4, '"other"', signal);
  expect([file.from, await textOf(file)]).toEqual([0, "0123456789"]);
});

it("sends no conditions for the whole file, and asks for it as it is stored", async () => {
  let headers: IncomingMessage["headers"] = {};
  handler = (request, response) => {
    headers = request.headers;
    response.end("x");
  };
  await textOf(await open());
  expect(headers).toMatchObject({ "accept-encoding": "identity" });
  expect(headers).not.toHaveProperty("range");
  expect(headers).not.toHaveProperty("if-range");
});

it("leaves out what the server says in an unusable way", async () => {
  handler = (_, response) =>
    void response
      .writeHead(200, { etag: `"${"a".repeat(300)}"`, "x-oss-hash-crc64ecma": "0x12", "content-md5": "???" })
      .end("x");
  expect(await open()).toEqual({ body: expect.anything(), from: 0 });
});

it("an expired link is refreshed, a missing file is missing, a failing host is tried again", async () => {
  const expired = new URL(emulator.objectLink("records", "k.wav", -1));
  await expect(openLink(dispatcher, expired, permission)(0, undefined, signal)).rejects.toMatchObject({
    name: "LinkExpired",
    next: "refresh",
  });
  const missing = new URL(emulator.objectLink("records", "none"));
  await expect(openLink(dispatcher, missing, permission)(0, undefined, signal)).rejects.toMatchObject({
    name: "NotFound",
  });
  handler = (_, response) => void response.writeHead(503, { "retry-after": "7" }).end();
  await expect(failure(open())).resolves.toMatchObject({ name: "Unavailable", facts: { retryAfterMs: 7000 } });
});

it("a range past the end says so", async () => {
  handler = (_, response) => void response.writeHead(416).end();
  await expect(failure(open(5, '"a"'))).resolves.toMatchObject({ name: "Refused", facts: { status: 416 } });
});

it.each([
  ["http://127.0.0.1:1/x", { allowHosts: [], loopback: false }],
  ["https://elsewhere.example/x", permission],
  ["http://records.oss-cn-hangzhou.aliyuncs.com/x", permission],
  ["https://user:secret@records.oss-cn-hangzhou.aliyuncs.com/x", permission],
])("does not open %s", async (link, allowed) => {
  await expect(openLink(dispatcher, new URL(link), allowed)(0, undefined, signal)).rejects.toMatchObject({
    facts: { code: "ForbiddenHost" },
  });
});

it("does not follow a redirect off the allowed hosts, and follows others", async () => {
  handler = (_, response) => void response.writeHead(302, { location: "https://elsewhere.example/x?TOPSECRET" }).end();
  await expect(failure(open())).resolves.toMatchObject({ facts: { code: "ForbiddenHost" } });
  handler = ({ url }, response) => {
    if (url === "/there") response.end("found");
    else response.writeHead(302, { location: "/there" }).end();
  };
  expect(await textOf(await open())).toBe("found");
  handler = (_, response) => void response.writeHead(302, { location: "/again" }).end();
  await expect(failure(open())).resolves.toMatchObject({ facts: { code: "TooManyRedirects" } });
});

it.each<[string, Record<string, string>, string]>([
  ["without Content-Range", {}, "BadRange"],
  ["with a Content-Range that is none", { "content-range": "bytes x-y/z" }, "BadRange"],
  ["that is encoded", { "content-encoding": "gzip", "content-range": "bytes 4-9/10" }, "UnknownEncoding"],
])("refuses a part %s", async (_, headers, code) => {
  handler = (__, response) => void response.writeHead(206, headers).end("456789");
  await expect(failure(open(4, '"a"'))).resolves.toMatchObject({ facts: { code } });
});

it("a body that ends early is cut short", async () => {
  handler = (_, response) => {
    response.writeHead(200, { "content-length": 10 }).write("01234", () => response.socket?.end());
  };
  await expect(failure(open())).resolves.toMatchObject({ name: "CutShort" });
});

it("an abort ends the connection, also when the body was never read", async () => {
  const closed = new Promise<void>((resolve) => {
    handler = (request, response) => {
      request.socket.once("close", resolve);
      response.writeHead(200, { "content-length": 10 }).write("01234");
    };
  });
  const stop = new AbortController();
  await openLink(dispatcher, new URL(server.url), permission)(0, undefined, stop.signal);
  stop.abort();
  await closed;
});
