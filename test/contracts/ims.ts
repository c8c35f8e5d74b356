import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Credentials } from "../../src/cloud/credentials.ts";
import type { Ims } from "../../src/core/ports.ts";
import { type Emulator, startEmulator } from "../../src/emulator/index.ts";
import type { RetryOptions } from "../../src/http/retry.ts";

export interface Given extends RetryOptions {
  endpoint: URL;
  credentials: Credentials;
  now: () => number;
}

const START = new Date("2025-07-14T00:00:00Z");
const END = new Date("2025-07-21T00:00:00Z");

/** What every client of IMS promises, told against the emulator. */
export const imsContract = (name: string, make: (given: Given) => Promise<Ims>): void => {
  describe(`${name} as Ims`, () => {
    let emulator: Emulator;
    let denying: Emulator;
    beforeAll(async () => {
      emulator = await startEmulator({ calls: 250, agents: 1 });
      denying = await startEmulator({ calls: 1, deny: ["DescribeAIAgentInstance"] });
    });
    afterAll(() => Promise.all([emulator.close(), denying.close()]));

    const client = (given: Partial<Given> & { secret?: string; keyId?: string; url?: string } = {}): Promise<Ims> => {
      const { secret = "emulator-secret", keyId = "emulator-id", url = emulator.url, ...rest } = given;
      const credential = { accessKeyId: keyId, accessKeySecret: secret, provider: "test" };
      return make({
        endpoint: new URL(url),
        credentials: { get: async () => credential },
        sleep: async () => {},
        random: () => 0,
        retries: 3,
        now: Date.now,
        ...rest,
      });
    };
    const firstId = (): string => emulator.ids().next().value ?? "";
    const query = { agentId: "", start: START, end: END, page: 1, size: 100 };

    it("describes a call with its link, status and request id", async () => {
      const call = await (await client()).describeInstance(firstId());
      expect(call.id).toBe(firstId());
      expect(call.status).toBe("Finished");
      expect(call.link?.search).toContain("Signature=");
      expect(call.requestId).toMatch(/^[0-9A-F-]{36}$/);
      expect(call.meta).toMatchObject({ Status: "Finished", SessionId: expect.any(String) });
    });

    it("keeps neither AuthToken nor the link's query in meta", async () => {
      const ims = await client();
      const listed = await ims.listInstances({ ...query, agentId: emulator.agents[0] ?? "" });
      for (const { meta, link } of [await ims.describeInstance(firstId()), ...listed]) {
        const text = JSON.stringify(meta);
        expect(text).not.toMatch(/AuthToken|Signature=|Expires=|OSSAccessKeyId/i);
        expect(meta.CallLogUrl).toBe(`${link?.origin}${link?.pathname}`);
        expect(meta.RuntimeConfig).toMatchObject({ AgentUserId: expect.any(String) });
      }
    });

    it("lists page by page and gives nothing past the last page", async () => {
      const ims = await client();
      const pages = [];
      for (const page of [1, 2, 3, 4])
        pages.push(await ims.listInstances({ ...query, agentId: emulator.agents[0] ?? "", page }));
      expect(pages.map((page) => page.length)).toEqual([100, 100, 50, 0]);
      expect(new Set(pages.flat().map(({ link }) => link?.pathname)).size).toBe(250);
    });

    it("says that a call is not found", async () => {
      await expect((await client()).describeInstance("no-such-call")).rejects.toMatchObject({
        name: "NotFound",
        next: "skip",
        facts: { code: "InvalidInstance.NotFound", status: 404, requestId: expect.stringMatching(/^[0-9A-F-]{36}$/) },
      });
    });

    it("names the action and a policy when RAM denies it", async () => {
      const error = await (await client({ url: denying.url })).describeInstance("any").catch((e: unknown) => e);
      expect(error).toMatchObject({ name: "Denied", next: "stop", facts: { code: "Forbidden.RAM", status: 403 } });
      expect(String(error)).toContain('"Action":["ice:DescribeAIAgentInstance"]');
    });

    it("stops on a wrong secret without echoing any key", async () => {
      const error = await (await client({ secret: "wrong-secret" })).describeInstance(firstId()).catch((e) => e);
      expect(error).toMatchObject({ name: "BadCredentials", facts: { code: "SignatureDoesNotMatch" } });
      expect(String(error)).not.toMatch(/wrong-secret|emulator-id/);
    });

    it("stops on an unknown key id without echoing it", async () => {
      const error = await (await client({ keyId: "LTAIunknownkeyid" })).describeInstance(firstId()).catch((e) => e);
      expect(error).toMatchObject({ name: "BadCredentials", facts: { code: "InvalidAccessKeyId.NotFound" } });
      expect(String(error)).not.toContain("LTAI");
    });

    it("repeats a throttled call and reports the retry", async () => {
      const seen: string[] = [];
      const ims = await client({
        onRetry: ({ error }) => {
          seen.push(error.name);
          emulator.faults = {};
        },
      });
      emulator.faults = { throttle: 1 };
      await expect(ims.describeInstance(firstId())).resolves.toMatchObject({ id: firstId() });
      expect(seen).toEqual(["Throttled"]);
    });

    it("repeats after 500, 503 and 502 as JSON, HTML and nothing, and gives up as Unavailable", async () => {
      const seen: string[] = [];
      const ims = await client({ retries: 5, onRetry: ({ error }) => seen.push(error.name) });
      emulator.faults = { error: 1 };
      await expect(ims.describeInstance(firstId())).rejects.toMatchObject({ name: "Unavailable", next: "retry" });
      emulator.faults = {};
      expect(seen).toEqual(Array(5).fill("Unavailable"));
    });

    it("repeats when the connection is closed or the answer is incomplete", async () => {
      const ims = await client({
        retries: 8,
        onRetry: ({ attempt }) => {
          emulator.faults = attempt < 3 ? { reset: 1 } : {};
        },
      });
      emulator.faults = { down: 1 };
      await expect(ims.describeInstance(firstId())).resolves.toMatchObject({ id: firstId() });
    });

    it("stops at once when it is aborted", async () => {
      const controller = new AbortController();
      const ims = await client({ onRetry: () => controller.abort(new Error("enough")) });
      emulator.faults = { error: 1 };
      await expect(ims.describeInstance(firstId(), controller.signal)).rejects.toThrow("enough");
      emulator.faults = {};
    });

    it("names the host when nothing answers there", async () => {
      const ims = await client({ url: "http://127.0.0.1:1", retries: 0 });
      const error = await ims.describeInstance("secret-looking-id").catch((e: unknown) => e);
      expect(error).toMatchObject({ name: "Unavailable", facts: { code: "ECONNREFUSED" } });
      expect(String(error)).toContain("127.0.0.1:1");
      expect(String(error)).not.toContain("secret-looking-id");
    });
  });
};
