import { describe, expect, it } from "vitest";
import { isLoopback, objection } from "../../src/http/hosts.ts";

const allow = ["logs.example.com", "*.cdn.example.com", "store.example:9000"];

describe("which links may be followed", () => {
  it.each([
    "https://b.oss-cn-shanghai.aliyuncs.com/k.json?Signature=s",
    "https://B.ALIYUNCS.COM/",
    "https://logs.example.com/",
    "https://a.b.cdn.example.com/",
    "https://store.example:9000/",
    "http://127.0.0.1:8080/",
    "http://127.9.9.9/",
    "http://127.1/",
    "http://[::1]:80/",
    "http://localhost/",
  ])("%s may", (link) => {
    expect(objection(new URL(link), allow)).toBeUndefined();
  });

  it.each([
    ["https://aliyuncs.com/", "--allow-host aliyuncs.com"],
    ["https://evil-aliyuncs.com/", "--allow-host evil-aliyuncs.com"],
    ["https://b.aliyuncs.com.evil.example/", "--allow-host"],
    ["https://b.aliyuncs.com./", "--allow-host"],
    ["https://cdn.example.com/", "--allow-host"],
    ["https://store.example/", "--allow-host"],
    ["https://100.100.100.200/latest/meta-data", "--allow-host 100.100.100.200"],
    ["http://100.100.100.200/latest/meta-data", "is http, not https"],
    ["http://b.oss-cn-shanghai.aliyuncs.com/", "is http, not https"],
    ["https://user:pw@b.aliyuncs.com/", "user name or password"],
    ["http://u@127.0.0.1/", "user name or password"],
    ["http://127.0.0.1.evil.example/", "is http, not https"],
    ["http://[::ffff:127.0.0.1]/", "is http, not https"],
    ["file:///etc/passwd", "is file, not https"],
    ["ftp://localhost/", "is ftp, not https"],
  ])("%s may not: %s", (link, reason) => {
    expect(objection(new URL(link), allow)).toContain(reason);
    expect(objection(new URL(link), allow)).not.toMatch(/pw@|Signature/);
  });

  it("nobody outside may redirect to this machine", () => {
    const here = new URL("http://127.0.0.1/");
    expect(objection(here, [], new URL("https://b.aliyuncs.com/"))).toContain("which is this machine");
    expect(objection(here, [], new URL("http://localhost/"))).toBeUndefined();
  });

  it("an empty pattern allows nothing", () => {
    expect(objection(new URL("https://x.example/"), ["", "*.", " "])).toBeDefined();
    expect(isLoopback(new URL("https://x.example/"))).toBe(false);
  });
});
