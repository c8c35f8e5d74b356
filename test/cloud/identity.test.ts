import { Agent } from "undici";
import { afterAll, describe, expect, it } from "vitest";
import { accountOf, placeOf, stsFor } from "../../src/cloud/identity.ts";
import { startEmulator } from "../../src/emulator/index.ts";
import { serve } from "../http/server.ts";

const dispatcher = new Agent();
afterAll(() => dispatcher.destroy());

const ask = (url: string, env: Record<string, string> = {}, provider = "default/env", timeoutMs = 30_000) =>
  accountOf({
    dispatcher,
    endpoint: new URL(url),
    credentials: { get: async () => ({ accessKeyId: "emulator-id", accessKeySecret: "emulator-secret", provider }) },
    userAgent: "callarchive/1",
    env,
    timeoutMs,
  });

describe("the account of the credentials", () => {
  it("comes from STS, or from the role's ARN when a role is in use", async () => {
    const cloud = await startEmulator({ account: "123" });
    const env = { ALIBABA_CLOUD_ROLE_ARN: "acs:ram::456:role/exporter" };
    expect(await ask(cloud.url)).toBe("123");
    expect(await ask(cloud.url, env)).toBe("123");
    expect(await ask(cloud.url, env, "default/oidc_role_arn")).toBe("456");
    expect(cloud.stats.requests).toEqual({ GetCallerIdentity: 2 });
    await cloud.close();
    expect(await ask(cloud.url)).toBeUndefined();
  });

  it("is unknown without a valid answer in time", async () => {
    const silent = await serve(() => undefined);
    expect(await ask(silent.url, {}, undefined, 50)).toBeUndefined();
    await silent.close();
    const strange = await serve((_, response) => void response.end('{"AccountId":"<b>1</b>"}'));
    expect(await ask(strange.url)).toBeUndefined();
    await strange.close();
  });
});

it("STS is asked in the region of the endpoint; all of this machine is one place", () => {
  const sts = (url: string, region?: string): string | undefined => stsFor(new URL(url), region)?.origin;
  expect(sts("https://ice.us-west-1.aliyuncs.com")).toBe("https://sts.us-west-1.aliyuncs.com");
  expect(sts("https://ice.us-west-1.aliyuncs.com", "cn-shanghai")).toBe("https://sts.us-west-1.aliyuncs.com");
  expect(sts("https://ice.aliyuncs.com")).toBe("https://sts.aliyuncs.com");
  expect(sts("https://gateway.example", "cn-shanghai")).toBe("https://sts.cn-shanghai.aliyuncs.com");
  expect(sts("https://gateway.example")).toBeUndefined();
  expect(sts("http://127.0.0.1:8787")).toBe("http://127.0.0.1:8787");
  const places = ["http://127.0.0.1:1", "http://localhost:2", "https://ice.us-west-1.aliyuncs.com"];
  expect(places.map((url) => placeOf(new URL(url)))).toEqual(["loopback", "loopback", "ice.us-west-1.aliyuncs.com"]);
});
