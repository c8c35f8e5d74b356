import { describe, expect, it } from "vitest";
import { connect } from "../../src/app/cloud.ts";
import { isLoopback, whyNotAllowed } from "../../src/http/hosts.ts";
import { serve } from "./server.ts";

const allow = { allowHosts: ["logs.example.com", "*.cdn.example.com", "store.example:9000"], loopback: true };

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
  ])("%s may be followed", (link) => {
    expect(whyNotAllowed(new URL(link), allow)).toBeUndefined();
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
    ["http://0.0.0.0/", "is http, not https"],
    ["http://bucket.localhost/", "is http, not https"],
    ["file:///etc/passwd", "is file, not https"],
    ["ftp://localhost/", "is ftp, not https"],
  ])("%s may not be followed: %s", (link, reason) => {
    expect(whyNotAllowed(new URL(link), allow)).toContain(reason);
    expect(whyNotAllowed(new URL(link), allow)).not.toMatch(/pw@|Signature/);
  });

  it("another host may not redirect to this machine", () => {
    const here = new URL("http://127.0.0.1/");
    const permission = { allowHosts: [], loopback: true };
    expect(whyNotAllowed(here, permission, new URL("https://b.aliyuncs.com/"))).toContain("which is this machine");
    expect(whyNotAllowed(here, permission, new URL("http://localhost/"))).toBeUndefined();
  });

  it.each([
    ...["127.0.0.1:8080", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.255.255.254", "0.0.0.0", "0"],
    ...["localhost", "LOCALHOST", "localhost.", "localhost..", "a.localhost", "a.b.localhost.", "127.0.0.1."],
    ...["[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0.0.0.0]"],
    ...["[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[::ffff:0:127.0.0.1]"],
  ])("a service elsewhere may not point to this machine as %s", (host) => {
    for (const scheme of ["http", "https"]) {
      if (!URL.canParse(`${scheme}://${host}/k`)) continue;
      const permission = { allowHosts: [host, "localhost", "*.localhost", "127.0.0.1"], loopback: false };
      expect(whyNotAllowed(new URL(`${scheme}://${host}/k?Signature=s`), permission)).toContain(
        "leads to this machine",
      );
    }
  });

  it.each([
    "10.0.0.1",
    "1.127.0.0",
    "[::ffff:10.0.0.1]",
    "[::2]",
    "[2001:db8::7f00:1]",
    "notlocalhost",
    "localhost.example",
  ])("%s is not this machine", (host) => {
    expect(
      whyNotAllowed(new URL(`https://${host}/`), {
        allowHosts: [new URL(`https://${host}/`).hostname],
        loopback: false,
      }),
    ).toBeUndefined();
  });

  it.each(["https://ice.cn-shanghai.aliyuncs.com", "http://127.0.0.1:1"])(
    "a service at %s decides",
    async (endpoint) => {
      let hits = 0;
      const here = await serve((_, response) => {
        hits += 1;
        response.end("{}");
      });
      const keys = { accessKeyId: "a", accessKeySecret: "b" };
      const request = { endpoint, client: "builtin", retries: 0, tps: 1, region: "cn-shanghai", keys } as const;
      const host = { env: {}, now: () => new Date() } as never;
      const cloud = await connect(request, { host, log: () => undefined, retries: { all: 0, throttled: 0 } });
      const download = cloud.download({ allowHost: ["127.0.0.1"], maxDocumentSize: 1000 });
      const came = await download(new URL("/k.json", here.url)).catch((error: Error) => error);
      await Promise.all([cloud.close(), here.close()]);
      const isHere = endpoint.includes("127.0.0.1");
      expect(hits).toBe(isHere ? 1 : 0);
      if (!isHere) expect(came).toMatchObject({ name: "Refused", facts: { code: "ForbiddenHost" } });
    },
  );

  it("an empty pattern allows nothing", () => {
    expect(whyNotAllowed(new URL("https://x.example/"), { allowHosts: ["", "*.", " "], loopback: true })).toBeDefined();
    expect(isLoopback(new URL("https://x.example/"))).toBe(false);
  });
});
