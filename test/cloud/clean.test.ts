import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanMeta, leastMeta } from "../../src/cloud/clean.ts";
import type { Json, JsonObject } from "../../src/core/transcript.ts";
import { SOAK } from "../helpers/soak.ts";

const SECRET = "S3CR3Tvalue";

/** JSON with the secret planted at random depths, as a token or in a signed link, also inside JSON text. */
const planted = fc.letrec<{ node: Json }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    fc.string() as fc.Arbitrary<Json>,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom<Json>(
      `https://b.oss-cn-shanghai.aliyuncs.com/k.json?Expires=1&Signature=${SECRET}`,
      `see http://cdn.example/x?a=1&x-oss-signature=${SECRET}, please`,
      `wss://rtc.example/live?x-oss-signature=${SECRET}`,
      `rtmp://u:${SECRET}@push.example/app/stream?auth_key=${SECRET}`,
      `https://user:${SECRET}@host.example/a?b=1`,
      `https://app.example/cb?state=1#access_token=${SECRET}&x=1`,
      `https:\\/\\/b.example\\/k?Signature=${SECRET}`,
      `https://r.example/?to=https%3A%2F%2Fb%2Fk%3FSignature%3D${SECRET}`,
    ),
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie("node"), { maxKeys: 3 }),
    fc
      .tuple(
        fc.constantFrom("AuthToken", "authToken", "AUTHTOKEN", "auth_token", "auth-token"),
        fc.dictionary(fc.string(), tie("node")),
      )
      .map(([key, rest]): Json => ({ ...rest, [key]: { deep: SECRET } })),
    tie("node").map((value): Json => JSON.stringify({ AuthToken: SECRET, value })),
    tie("node").map((value): Json => ({ CallLogUrl: `https://b.aliyuncs.com/k?OSSAccessKeyId=${SECRET}`, value })),
  ),
})).node;

const harmless = fc.dictionary(
  fc.string().filter((key) => !/^(auth[_-]?token|calllogurl)$/i.test(key)),
  fc
    .jsonValue({ maxDepth: 4 })
    .filter((value) => !/token|:\/\/|calllog/i.test(JSON.stringify(value))) as fc.Arbitrary<Json>,
);

describe("cleanMeta", () => {
  it("leaves no planted secret anywhere", () => {
    fc.assert(fc.property(planted, (value) => !JSON.stringify(cleanMeta({ value })).includes(SECRET)));
  });

  it("changes nothing that is harmless, and never its argument", () => {
    fc.assert(
      fc.property(harmless, (wire) => {
        const before = JSON.stringify(wire);
        expect(JSON.stringify(cleanMeta(wire))).toBe(before);
        expect(JSON.stringify(wire)).toBe(before);
      }),
    );
  });

  it.each<[string, Json, Json | undefined]>([
    ["AuthToken", "t", undefined],
    ["CallLogUrl", "https://u:p@b.aliyuncs.com/k.json?Signature=s#f", "https://b.aliyuncs.com/k.json"],
    ["CallLogUrl", "not a url?Signature=s", "not a url"],
    [
      "Page",
      "https://example.com/search?q=expired+tokens&page=2",
      "https://example.com/search?q=expired+tokens&page=2",
    ],
    ["Callback", "https://example.com/cb?security-token=s", "https://example.com/cb"],
    ["Push", "rtmp://p.example/live/s?auth_key=1-0-0-ab", "rtmp://p.example/live/s"],
    ["Socket", "wss://user:pw@w.example:8443/s?v=2", "wss://w.example:8443/s?v=2"],
    ["Door", "https://a.example/cb?page=2#access_token=s", "https://a.example/cb?page=2"],
    ["Door", "https://a.example/cb?page=2#chapter", "https://a.example/cb?page=2#chapter"],
    ["Door", "https://a.example/#id_token=s", "https://a.example/"],
    [
      "Door",
      "https://a.example/?to=https://u:p@b.example/&m=x@y.example",
      "https://a.example/?to=https://b.example/&m=x@y.example",
    ],
    [
      "Mail",
      "write to me@example.com, or see https://example.com/@me",
      "write to me@example.com, or see https://example.com/@me",
    ],
    ["Note", "auth-token: abc; next", 'auth-token: "[hidden]"; next'],
    ["UserData", '{"a": 1.0, "big": 12345678901234567890}', '{"a": 1.0, "big": 12345678901234567890}'],
    ["UserData", '{"AuthToken":"t","a":{"b":[{"authToken":"u","c":1}]}}', '{"a":{"b":[{"c":1}]}}'],
    ["UserData", '{"AuthToken":"t","cut', '{"AuthToken":"[hidden]","cut'],
    ["UserData", '{"x":"{\\"AuthToken\\":\\"t', '{"x":"{\\"AuthToken\\":"[hidden]"'],
    ["Note", "AuthToken=abc; next", 'AuthToken="[hidden]"; next'],
  ])("%s: %j becomes %j", (key, before, after) => {
    expect(cleanMeta({ [key]: before })).toEqual(after === undefined ? {} : { [key]: after });
  });

  it("survives a key named __proto__ and any depth", () => {
    const wire = JSON.parse('{"__proto__":{"AuthToken":"t","a":1}}') as JsonObject;
    expect(JSON.stringify(cleanMeta(wire))).toBe('{"__proto__":{"a":1}}');
    const deep = JSON.parse(`{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`) as JsonObject;
    expect(JSON.stringify(cleanMeta(deep)).length).toBeLessThan(200);
  });

  it("cleans data as text when it is nested too deeply to be written again", () => {
    const deep = `${"[".repeat(20_000)}"auth_token=S3CR3T https://b/k?Signature=S3CR3T"${"]".repeat(20_000)}`;
    const { UserData } = cleanMeta({ UserData: deep });
    expect(UserData).toContain("[[[[");
    expect(UserData).not.toContain("S3CR3T");
  });

  it.runIf(SOAK)("takes linear time", () => {
    const began = performance.now();
    for (const piece of [
      "a",
      "a.",
      "a:",
      "://",
      "a://",
      "?&",
      "%26",
      "authtoken",
      "authtoken ",
      "\\",
      "&x-oss-",
      "a@",
      "%25",
      "%3A%2F%2F",
      "//a:",
      "<authtoken ",
      "&lt;authtoken>",
      "authtoken='",
      "\\u003f",
      "&amp;",
    ])
      cleanMeta({
        Text: piece.repeat(1_000_000 / piece.length),
        Address: `https://h/?${piece.repeat(200_000 / piece.length)}`,
      });
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

describe("leastMeta", () => {
  it("keeps what is short and plain, without secrets", () => {
    const wire = {
      Status: "Finished",
      AuthToken: "t",
      UserData: "x".repeat(5000),
      Deep: [[]],
      CallLogUrl: "https://b/k?Signature=s",
    };
    expect(leastMeta(wire)).toEqual({ Status: "Finished", CallLogUrl: "https://b/k" });
  });
});
