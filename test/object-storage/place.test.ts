import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { isBucket, isKey, parsePlace, placeText } from "../../src/object-storage/place.ts";

const place = (bucket: string, key: string, region?: string) => ({ bucket, key, ...(region && { region }) });

describe("a place", () => {
  it.each([
    ["oss://records/a/b.wav", place("records", "a/b.wav")],
    ["OSS://records/a%20b%3F.wav", place("records", "a b?.wav")],
    ["oss://records/通话/一.wav", place("records", "通话/一.wav")],
    ["oss://records/../../etc/passwd", place("records", "../../etc/passwd")],
    ["oss://records/a?Signature=S#f", place("records", "a")],
    ["oss://id:secret@records/a", place("records", "a")],
    ["https://records.oss-cn-hangzhou.aliyuncs.com/a/b.wav", place("records", "a/b.wav", "cn-hangzhou")],
    ["http://records.oss-cn-hangzhou.aliyuncs.com/a", place("records", "a", "cn-hangzhou")],
    ["https://records.oss-us-west-1-internal.aliyuncs.com/a", place("records", "a", "us-west-1")],
    ["https://records.s3.oss-cn-beijing.aliyuncs.com/a", place("records", "a", "cn-beijing")],
    ["https://records.oss-accelerate.aliyuncs.com/a", place("records", "a")],
    ["https://records.oss-accelerate-overseas.aliyuncs.com/a", place("records", "a")],
    ["https://records.cn-hangzhou.oss.aliyuncs.com/a", place("records", "a", "cn-hangzhou")],
    ["https://u:p@records.oss-cn-hangzhou.aliyuncs.com/a?Signature=S#f", place("records", "a", "cn-hangzhou")],
  ])("%s is read", (text, expected) => {
    expect(parsePlace(text)).toEqual(expected);
  });

  it.each([
    "",
    "records/a",
    "/etc/passwd",
    "file:///etc/passwd",
    "oss://records",
    "oss://records/",
    "oss:///a",
    "oss://Records/a",
    "oss://re/a",
    "oss://-records/a",
    "oss://../a",
    "oss://records//a",
    "oss://records/%2Fa",
    "oss://records/\\a",
    "oss://records/%zz",
    "oss://records/%ff",
    `oss://records/${"a".repeat(1024)}`,
    `oss://records/${"a".repeat(100_000)}`,
    "https://records.oss-cn-hangzhou.aliyuncs.com/",
    "https://records.oss-cn-hangzhou.aliyuncs.com:8443/a",
    "https://oss-cn-hangzhou.aliyuncs.com/records/a",
    "https://records.oss-cn-hangzhou.aliyuncs.com.evil.example/a",
    "https://evil.example/records.oss-cn-hangzhou.aliyuncs.com/a",
    "https://a.b.oss-cn-hangzhou.aliyuncs.com/a",
    "https://outin.vod.cn-shanghai.aliyuncs.com/a",
  ])("%s is none", (text) => {
    expect(parsePlace(text)).toBeUndefined();
  });

  it("has the bucket in its path on this machine, if the service is there", () => {
    const endpoint = new URL("http://127.0.0.1:8000");
    expect(parsePlace("http://127.0.0.1:8000/records/a%20b/c?S=1", endpoint)).toEqual(place("records", "a b/c"));
    expect(parsePlace("http://127.0.0.1:8000/records/a")).toBeUndefined();
    expect(parsePlace("http://127.0.0.1:9/records/a", endpoint)).toBeUndefined();
    expect(parsePlace("https://oss.example/records/a", new URL("https://oss.example"))).toBeUndefined();
  });
});

test("a place is shown on one line, without what could be taken for a query, and is read back", () => {
  expect(placeText(place("records", "通话/a b?x#y%\n\u202e\u0000.wav"))).toBe(
    "oss://records/通话/a%20b%3Fx%23y%25%0A%E2%80%AE%00.wav",
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).filter(isKey), (key) => {
      const text = placeText(place("records", key));
      expect(parsePlace(text)).toEqual(place("records", key));
      expect(text).not.toMatch(/[\s\p{Cc}?#]/u);
    }),
  );
});

test("a text from anywhere is a valid place or none", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.webUrl(),
    fc.string().map((key) => `oss://records/${key}`),
  );
  fc.assert(
    fc.property(text, (any) => {
      const read = parsePlace(any);
      if (read) expect([isBucket(read.bucket), isKey(read.key)]).toEqual([true, true]);
    }),
  );
});
