import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIceSdk } from "../../src/cloud/ice-sdk.ts";
import { serve, type TestServer } from "../http/server.ts";
import { standIn } from "./ice-stand-in.ts";

let server: TestServer;
let reply: (response: ServerResponse) => void;
beforeAll(async () => {
  server = await serve((request, response) => {
    request.resume();
    reply(response);
  });
});
afterAll(() => server.close());

const client = (waits: number[] = []) =>
  createIceSdk({
    endpoint: new URL(server.url),
    credentials: { get: async () => ({ accessKeyId: "id", accessKeySecret: "secret", provider: "test" }) },
    userAgent: "test",
    retries: 1,
    random: () => 0,
    sleep: async (ms) => void waits.push(ms),
    load: async () => standIn,
  });

describe("the SDK's answers", () => {
  it.each([
    ["2000", 2000],
    ["999999999", 120_000],
    ["-5", 0],
    ["soon", 0],
  ])("that ask to wait %s ms make it wait %i", async (header, expected) => {
    const waits: number[] = [];
    reply = (response) => {
      response.writeHead(429, { "x-acs-retry-after": header, "content-type": "application/json" });
      response.end(JSON.stringify({ Code: "Throttling.User", Message: "slow down", RequestId: "R" }));
    };
    await expect((await client(waits)).describeInstance("i")).rejects.toMatchObject({ name: "Throttled" });
    expect(waits).toEqual([expected]);
  });

  it.each(["with a length", "in chunks"])("that are too large are refused, %s", async (how) => {
    const body = JSON.stringify({ RequestId: "R", Instance: { UserData: "x".repeat(17 * 1024 * 1024) } });
    reply = (response) => {
      const headers = {
        "content-type": "application/json",
        ...(how === "with a length" && { "content-length": body.length }),
      };
      response.writeHead(200, headers);
      response.end(body);
    };
    const ims = await client();
    await expect(ims.describeInstance("i")).rejects.toMatchObject({ name: "Refused", facts: { code: "TooLarge" } });
    // A page of a list may be larger.
    const query = { agentId: "a", start: new Date(0), end: new Date(0), page: 1, size: 10 };
    await expect(ims.listInstances(query)).resolves.toEqual([]);
  });
});
