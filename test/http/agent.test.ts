import { connect } from "node:net";
import { Agent, EnvHttpProxyAgent } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { UsageError } from "../../src/core/errors.ts";
import { createDispatcher, proxyInUse, proxyOf } from "../../src/http/agent.ts";
import { transportError } from "../../src/http/transport.ts";
import { serve, type TestServer } from "./server.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(open.splice(0).map((it) => it.close())));
const started = async (listener: Parameters<typeof serve>[0]): Promise<TestServer> => {
  const server = await serve(listener);
  open.push(server);
  return server;
};
const dispatcherFor = (env: Record<string, string>) => {
  const dispatcher = createDispatcher({ env });
  open.push(dispatcher);
  return dispatcher;
};

describe("proxyInUse", () => {
  it.each([
    [{}, undefined],
    [{ HTTPS_PROXY: "http://user:secret@proxy.example:3128" }, "proxy.example:3128"],
    [{ https_proxy: "proxy.example:3128" }, "proxy.example:3128"],
    [{ http_proxy: "http://a.example:1", HTTPS_PROXY: "http://b.example:2" }, "b.example:2"],
    [{ HTTP_PROXY: "http://a.example:1" }, "a.example:1"],
    [{ HTTPS_PROXY: "http://a.example:1", NO_PROXY: "*" }, undefined],
    [{ HTTPS_PROXY: "" }, undefined],
  ])("reads %j as %j", (env, expected) => {
    expect(proxyInUse(env)).toBe(expected);
  });

  it.each([
    [{ HTTPS_PROXY: "socks5://user:secret@proxy.example:1080" }, "HTTPS_PROXY names a socks5 proxy"],
    [{ https_proxy: "ftp://proxy.example" }, "https_proxy names a ftp proxy"],
    [{ HTTP_PROXY: "file:///secret" }, "HTTP_PROXY names a file proxy"],
  ])("refuses %j, naming the variable", (env, said) => {
    expect(() => proxyInUse(env)).toThrow(said);
    expect(() => createDispatcher({ env })).toThrow(UsageError);
    expect(() => createDispatcher({ env })).not.toThrow("secret");
  });

  it("does not show a malformed value, which may hold a password", () => {
    const bad = { HTTPS_PROXY: "http://user:secret@:not a url" };
    expect(() => proxyInUse(bad)).toThrow(/^HTTPS_PROXY is not a proxy address/);
    expect(() => createDispatcher({ env: bad })).toThrow(/^(?!.*secret).*$/);
  });
});

describe("createDispatcher", () => {
  it("makes a plain agent when there is no proxy", () => {
    expect(dispatcherFor({})).toBeInstanceOf(Agent);
    expect(dispatcherFor({ HTTPS_PROXY: "http://p.example" })).toBeInstanceOf(EnvHttpProxyAgent);
  });

  it("goes through the proxy, but never for loopback or NO_PROXY", async () => {
    const target = await started((_, response) => response.end("target"));
    const asked: string[] = [];
    const proxy = await started((_, response) => response.end("not tunnelled"));
    proxy.server.on("connect", (request, socket) => {
      asked.push(`${request.url} ${request.headers["proxy-authorization"]}`);
      const upstream = connect(target.port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on("error", () => {});
      socket.on("error", () => {});
    });
    const dispatcher = dispatcherFor({ http_proxy: `http://u:p@127.0.0.1:${proxy.port}`, no_proxy: "direct.invalid" });
    const get = async (origin: string) => (await dispatcher.request({ origin, path: "/", method: "GET" })).body.text();
    await expect(get("http://far.invalid")).resolves.toBe("target");
    await expect(get(target.url)).resolves.toBe("target");
    await expect(get("http://direct.invalid")).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
    expect(asked).toEqual([`far.invalid:80 Basic ${Buffer.from("u:p").toString("base64")}`]);
  });

  it("says when the proxy refuses", async () => {
    const proxy = await started(() => {});
    proxy.server.on("connect", (_, socket) => socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
    const dispatcher = dispatcherFor({ HTTP_PROXY: proxy.url });
    const error = await dispatcher.request({ origin: "http://far.invalid", path: "/", method: "GET" }).catch((e) => e);
    expect(transportError(error, "far.invalid")).toMatchObject({
      name: "Unavailable",
      message: "The proxy requires authentication (HTTP 407). Set HTTPS_PROXY to http://user:password@host:port.",
    });
  });

  it("tells which proxy it uses for an address", () => {
    const env = { HTTPS_PROXY: "http://u:p@a.example:1", NO_PROXY: "direct.example .sub.example,ported.example:8443" };
    const dispatcher = dispatcherFor(env);
    const taken = (address: string) => proxyOf(dispatcher, new URL(address));
    expect(taken("https://far.example")).toBe("a.example:1");
    expect(taken("https://ported.example")).toBe("a.example:1");
    expect(taken("http://far.example")).toBeUndefined();
    for (const host of ["direct.example", "x.direct.example", "sub.example", "a.sub.example", "ported.example:8443"])
      expect(taken(`https://${host}`)).toBeUndefined();
    for (const host of ["localhost:1", "127.0.0.1", "[::1]"]) expect(taken(`https://${host}`)).toBeUndefined();
    expect(proxyOf(dispatcherFor({}), new URL("https://far.example"))).toBeUndefined();
  });
});

describe("transportError", () => {
  const coded = (code: string, message = "GET https://h/x?Signature=s failed") =>
    Object.assign(new Error(message), { code });

  it.each([
    ["ENOTFOUND", "not known to DNS"],
    ["ECONNREFUSED", "refuses connections"],
    ["UND_ERR_CONNECT_TIMEOUT", "no connection was made"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "certificate of h cannot be verified (SELF_SIGNED_CERT_IN_CHAIN)"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "certificate of h cannot be verified"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate of h cannot be verified"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "No TLS connection to h"],
    ["EODD", "the connection failed (EODD)"],
  ])("turns %s into a temporary error and names only the host", (code, said) => {
    const error = transportError(coded(code), "h") as Error;
    expect(error).toMatchObject({ name: "Unavailable", facts: { code } });
    expect(error.message).toContain(said);
    expect(error.message).not.toContain("Signature");
  });

  it.each([
    ["ECONNREFUSED", "", "h cannot be reached through proxy p:3128: it refuses connections (ECONNREFUSED)."],
    ["UND_ERR_ABORTED", "Proxy response (407) !== 200", "The proxy p:3128 requires authentication (HTTP 407)"],
    ["UND_ERR_ABORTED", "Proxy response (503) !== 200", "The proxy p:3128 refuses to connect to h (HTTP 503)."],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "", "No TLS connection to h through proxy p:3128"],
  ])("names the proxy: %s %s", (code, text, said) => {
    expect((transportError(coded(code, text), "h", "answer", "p:3128") as Error).message).toContain(said);
  });

  it("finds the code of a cause, and treats a reset inside a body as an incomplete body", () => {
    const wrapped = new Error("fetch failed", { cause: coded("ECONNRESET") });
    expect(transportError(wrapped, "h", "body")).toMatchObject({ name: "CutShort", facts: { code: "ECONNRESET" } });
    expect(transportError(coded("UND_ERR_BODY_TIMEOUT"), "h", "body")).toMatchObject({ name: "Unavailable" });
  });

  it.each([new TypeError("a bug"), coded("UND_ERR_INVALID_ARG"), "text"])("returns %s unchanged", (error) => {
    expect(transportError(error, "h")).toBe(error);
  });
});
