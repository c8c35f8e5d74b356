import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Agent } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endpointFor, parseEndpoint } from "../../src/cloud/endpoint.ts";
import { createRpc, type RpcOptions } from "../../src/cloud/openapi.ts";
import { startEmulator } from "../../src/emulator/index.ts";
import type { RateLimiter } from "../../src/http/rate-limiter.ts";
import { serve, type TestServer } from "../http/server.ts";

const dispatcher = new Agent();
const seen: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
let server: TestServer;
let reply: (response: ServerResponse) => void = () => {};
beforeAll(async () => {
  server = await serve(async (request: IncomingMessage, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    seen.push({ url: request.url ?? "", headers: request.headers, body });
    reply(response);
  });
});
afterAll(() => Promise.all([server.close(), dispatcher.close()]));

const key = { accessKeyId: "id", accessKeySecret: "secret", securityToken: "token", provider: "test" };
const rpc = (options: Partial<RpcOptions> = {}) => {
  seen.length = 0;
  return createRpc({
    dispatcher,
    endpoint: new URL(server.url),
    credentials: { get: async () => key },
    version: "2020-11-09",
    userAgent: "callarchive/1",
    sleep: async () => {},
    retries: 0,
    ...options,
  });
};
const json =
  (status: number, value: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, headers).end(typeof value === "string" ? value : JSON.stringify(value));

describe("createRpc", () => {
  it("signs the whole request, port and temporary key included", async () => {
    reply = json(200, { RequestId: "R", Data: 1 });
    let time = Date.parse("2025-07-18T12:00:00.999Z");
    const call = rpc({ now: () => time++, nonce: () => "n1" });
    const answer = await call("Do", { Name: "a b*'()!~+/语", Size: 5, Absent: undefined }, { body: { Q: "x&y=z" } });
    expect(answer).toEqual({ requestId: "R", body: { RequestId: "R", Data: 1 } });
    const [{ url, headers, body } = { url: "", headers: {} as IncomingHttpHeaders, body: "" }] = seen;
    expect(url).toBe("/?Name=a%20b%2A%27%28%29%21~%2B%2F%E8%AF%AD&Size=5");
    expect(body).toBe("Q=x%26y%3Dz");
    expect(headers).toMatchObject({
      host: `127.0.0.1:${server.port}`,
      "user-agent": "callarchive/1",
      "x-acs-action": "Do",
      "x-acs-version": "2020-11-09",
      "x-acs-date": "2025-07-18T12:00:00Z",
      "x-acs-signature-nonce": "n1",
      "x-acs-security-token": "token",
      "x-acs-content-sha256": createHash("sha256").update(body).digest("hex"),
      "content-type": "application/x-www-form-urlencoded",
    });
    expect(headers.authorization).toMatch(
      /^ACS3-HMAC-SHA256 Credential=id,SignedHeaders=content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version,Signature=[0-9a-f]{64}$/,
    );
  });

  it("passes an independent check of the signature, with parameters in the query or in the body", async () => {
    const emulator = await startEmulator({ calls: 1, accessKeyId: "id", accessKeySecret: "secret" });
    const call = rpc({ endpoint: new URL(emulator.url) });
    const InstanceId = emulator.ids().next().value ?? "";
    const odd = { Odd: "a b*'()!~+/语&=" };
    const query = await call("DescribeAIAgentInstance", { InstanceId, ...odd });
    const body = await call("DescribeAIAgentInstance", {}, { body: { InstanceId, ...odd } });
    expect(body.body.Instance).toMatchObject({ Status: "Finished" });
    expect(query.body.Instance).toMatchObject({ Status: "Finished" });
    await emulator.close();
  });

  it("uses a new nonce and date for every attempt", async () => {
    reply = json(503, { Code: "ServiceUnavailable" });
    let [time, nonce] = [0, 0];
    const call = rpc({ retries: 2, now: () => (time += 60_000), nonce: () => `n${nonce++}` });
    await expect(call("Do", {})).rejects.toMatchObject({ name: "Unavailable" });
    expect(seen.map(({ headers }) => headers["x-acs-signature-nonce"])).toEqual(["n0", "n1", "n2"]);
    expect(new Set(seen.map(({ headers }) => headers["x-acs-date"])).size).toBe(3);
  });

  it.each<[string, (response: ServerResponse) => void, object]>([
    ["an HTML 502", json(502, "<html>"), { name: "Unavailable", facts: { code: "HTTP502", status: 502 } }],
    ["an empty 502", json(502, ""), { name: "Unavailable", facts: { code: "HTTP502", status: 502 } }],
    ["a captive portal's 200", json(200, "<html>"), { name: "Unavailable", facts: { code: "NotJson", status: 200 } }],
    ["a 200 that is a list", json(200, []), { name: "Unavailable" }],
    [
      "a redirect",
      json(302, "", { location: "http://evil.example/" }),
      { name: "Refused", facts: { code: "HTTP302" } },
    ],
    ["a wait in seconds", json(429, {}, { "retry-after": "3" }), { name: "Throttled", facts: { retryAfterMs: 3000 } }],
    [
      "a wait in ms",
      json(400, { Code: "Throttling" }, { "x-acs-retry-after": "1500" }),
      { facts: { retryAfterMs: 1500 } },
    ],
    ["the id in a header", json(404, "", { "x-acs-request-id": "H" }), { facts: { requestId: "H" } }],
    ["a body without end", (response) => void response.writeHead(200, { "content-length": 9 }).end("x".repeat(5)), {}],
    ["too much", json(200, { a: "x".repeat(3000) }), { name: "Refused", facts: { code: "TooLarge" } }],
  ])("answers %s with a proper error", async (_, broken, expected) => {
    reply = broken;
    await expect(rpc({ timeoutMs: 2000 })("Do", {}, { maxBytes: 2000 })).rejects.toMatchObject(expected);
  });

  it("waits for its turn before every attempt, and reports the result", async () => {
    reply = (response) => json(seen.length < 3 ? 429 : 200, {})(response);
    const told: string[] = [];
    const rateLimiter: RateLimiter = {
      turn: async () => {
        told.push("turn");
        return { at: 0, waited: false };
      },
      ok: () => void told.push("ok"),
      throttled: () => void told.push("throttled"),
      rate: () => 1,
    };
    await rpc({ rateLimiter, retries: 2 })("Do", {});
    expect(told).toEqual(["turn", "throttled", "turn", "throttled", "turn", "ok"]);
  });

  it("says by how much the clock is off", async () => {
    reply = json(400, { Code: "InvalidTimeStamp.Expired" }, { date: "Fri, 18 Jul 2025 12:00:00 GMT" });
    const call = rpc({ now: () => Date.parse("2025-07-18T12:45:00Z") });
    await expect(call("Do", {})).rejects.toThrow("45 minutes ahead");
  });

  it("never repeats the key or the string to sign that the service echoes", async () => {
    reply = json(400, {
      Code: "SignatureDoesNotMatch",
      Message: "key LTAIabcdefgh, string to sign is:POST secret token",
    });
    const error = await rpc()("Do", {}).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "BadCredentials" });
    expect(String(error)).not.toMatch(/LTAI|POST|token/);
  });

  it("times out when the server does not answer", async () => {
    reply = () => {};
    await expect(rpc({ timeoutMs: 50 })("Do", {})).rejects.toMatchObject({ facts: { code: "Timeout" } });
  });

  it("passes on why there are no credentials", async () => {
    const call = rpc({ credentials: { get: () => Promise.reject(new Error("no keys")) } });
    await expect(call("Do", {})).rejects.toThrow("no keys");
    expect(seen).toEqual([]);
  });
});

describe("endpoints", () => {
  it("follow the region", () => {
    expect(endpointFor().href).toBe("https://ice.cn-shanghai.aliyuncs.com/");
    expect(endpointFor("us-west-1").host).toBe("ice.us-west-1.aliyuncs.com");
    for (const bad of ["", "evil.example/", "cn", "CN-SHANGHAI", "cn-shanghai.evil"])
      expect(() => endpointFor(bad)).toThrow(/is not a region/);
  });

  it("are https, or this machine", () => {
    expect(parseEndpoint("http://127.0.0.1:8080").port).toBe("8080");
    expect(parseEndpoint("https://ice.aliyuncs.com").host).toBe("ice.aliyuncs.com");
  });

  it.each([
    ["ice.aliyuncs.com", "not a URL"],
    ["http://ice.aliyuncs.com", "must be https"],
    ["ftp://localhost", "must be https"],
    ["https://u:pw@ice.aliyuncs.com", "must not carry"],
    ["https://ice.aliyuncs.com/path", "must end after the host"],
    ["https://ice.aliyuncs.com?x=1", "must end after the host"],
  ])("%s is refused: %s", (text, said) => {
    expect(() => parseEndpoint(text)).toThrow(said);
    expect(() => parseEndpoint(text)).not.toThrow("pw");
  });
});
