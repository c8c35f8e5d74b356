import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apiError, type Failure } from "../../src/cloud/errors.ts";
import { quotable } from "../../src/cloud/quote.ts";
import { SOAK } from "../helpers/soak.ts";

const KEY = "LTAI5tExampleKeyId";
const now = Date.parse("2025-07-18T12:00:00Z");
const asked = {
  product: "ice",
  action: "DescribeAIAgentInstance",
  host: "ice.cn-shanghai.aliyuncs.com",
  now,
  secrets: [KEY, "the-secret", undefined],
};
const error = (failure: Failure) => apiError(failure, asked);

describe("what an error code means", () => {
  it.each<[number, string | undefined, string]>([
    [400, "Throttling", "Throttled"],
    [429, "Throttling.User", "Throttled"],
    [503, "Throttling.Api", "Throttled"],
    [429, undefined, "Throttled"],
    [503, "ServiceUnavailable", "Unavailable"],
    [500, "InternalError", "Unavailable"],
    [500, "Something.NotFound", "Unavailable"],
    [599, "Unheard.Of", "Unavailable"],
    [502, undefined, "Unavailable"],
    [400, "SignatureNonceUsed", "Unavailable"],
    [400, "InvalidTimeStamp.Expired", "ClockSkewed"],
    [404, "InvalidAccessKeyId.NotFound", "BadCredentials"],
    [400, "InvalidAccessKeyId.Inactive", "BadCredentials"],
    [400, "SignatureDoesNotMatch", "BadCredentials"],
    [400, "IncompleteSignature", "BadCredentials"],
    [400, "InvalidSecurityToken.Expired", "BadCredentials"],
    [403, "Forbidden.RAM", "Denied"],
    [403, "NoPermission", "Denied"],
    [403, "Forbidden", "Denied"],
    [403, "ServiceNotEnable", "Denied"],
    [403, "Forbidden.AccountOverdue", "Denied"],
    [400, "InvalidParameter", "Refused"],
    [400, "InvalidParameter.StartTime", "Refused"],
    [404, "InvalidAction.NotFound", "Refused"],
    [404, "InvalidInstance.NotFound", "NotFound"],
    [400, "AIAgentInstance.NotFound", "NotFound"],
    [404, undefined, "Refused"],
    [418, "Teapot", "Refused"],
  ])("%i %s is %s", (status, code, name) => {
    expect(error({ status, code, requestId: "R" })).toMatchObject({
      name,
      facts: { code: code ?? `HTTP${status}`, status, requestId: "R" },
    });
  });

  it("keeps how long to wait", () => {
    expect(error({ status: 429, retryAfterMs: 5 }).facts.retryAfterMs).toBe(5);
    expect(error({ status: 429 }).facts).not.toHaveProperty("retryAfterMs");
  });

  it("says what to do about permissions, with a policy that is JSON", () => {
    const { message } = error({ status: 403, code: "Forbidden.RAM", message: "User not authorized" });
    expect(message).toContain("RAM does not allow ice:DescribeAIAgentInstance (Forbidden.RAM: User not authorized)");
    const policy: unknown = JSON.parse(message.slice(message.indexOf("{")));
    expect(policy).toMatchObject({ Statement: [{ Effect: "Allow", Action: ["ice:DescribeAIAgentInstance"] }] });
  });

  it.each([
    ["Fri, 18 Jul 2025 12:20:00 GMT", "20 minutes behind"],
    ["Fri, 18 Jul 2025 03:00:00 GMT", "540 minutes ahead"],
    [undefined, "more than 15 minutes off"],
    ["nonsense", "more than 15 minutes off"],
  ])("by a server's date of %s the clock is %s", (date, said) => {
    expect(error({ status: 400, code: "InvalidTimeStamp.Expired", date }).message).toContain(said);
  });

  it("ignores a code that does not look like one", () => {
    expect(error({ status: 400, code: "<script>\u001b[31m" }).facts.code).toBe("HTTP400");
  });
});

describe("the service's message", () => {
  it.each([
    ["Specified access key LTAI5tOtherKey123 is not found.", "Specified access key [hidden] is not found."],
    [
      `Specified signature is not matched with our calculation. server string to sign is:ACS3-HMAC-SHA256\n${"ab".repeat(32)}`,
      "Specified signature is not matched with our calculation.",
    ],
    [`got ${"0f".repeat(32)} here`, "got [hidden] here"],
    ["got dGhpcyBpcyBhIHNpZ25hdHVyZQ0K123= here", "got [hidden] here"],
    ["instance 39f8e0bc005e4f309379701645f40000 is gone", "instance 39f8e0bc005e4f309379701645f40000 is gone"],
    ["see https://b.aliyuncs.com/k?Signature=s&Expires=1 now", "see https://b.aliyuncs.com/k now"],
    ["key the-secret and token STS.NUabcdefgh1234", "key [hidden] and token [hidden]"],
    ["a\u001b[31m\r\nb", "a [31m b"],
  ])("%j is shown as %j", (before, after) => {
    expect(quotable(before, asked.secrets)).toBe(after);
  });

  it.each([" ", "\n", "a", "a=", "http://", "server string ", "credential "])(
    "takes no time for a megabyte of %j",
    (piece) => {
      const began = performance.now();
      expect(quotable(piece.repeat(1_000_000 / piece.length)).length).toBeLessThanOrEqual(300);
      if (SOAK) expect(performance.now() - began).toBeLessThan(1000);
    },
  );

  it("shows no half of a secret where a long message is cut", () => {
    for (let at = 4080; at < 4100; at++)
      expect(quotable(`key${" ".repeat(at)}the-secret is long`, asked.secrets)).not.toMatch(/the-s/);
  });

  it("is one well-formed line of at most 300 characters without any given secret", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 500 }), fc.string(), (a, b) => {
        const shown = quotable(`${a}the-secret${b}`, ["the-secret"]);
        return shown.length <= 300 && shown.isWellFormed() && !shown.includes("the-secret") && !/[\r\n]/.test(shown);
      }),
    );
  });
});
