import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { Agent } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIceSdk } from "../../src/cloud/ice-sdk.ts";
import { createIms } from "../../src/cloud/ims.ts";
import { createRpc } from "../../src/cloud/openapi.ts";
import { createDownload } from "../../src/http/download.ts";
import { standIn } from "../cloud/ice-stand-in.ts";

const dispatcher = new Agent();
let server: Server;
let endpoint: URL;
/** What is sent for each request: bytes as they are. */
let reply = "";
let hits = 0;
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      hits += 1;
      socket.end(reply, "latin1");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(async () => {
  await dispatcher.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const OK = "HTTP/1.1 200 OK\r\n";
const answers: [name: string, answer: string, kind: "Unavailable" | "CutShort"][] = [
  ["a length that is no number", `${OK}Content-Length: abc\r\n\r\n{}`, "Unavailable"],
  ["a negative length", `${OK}Content-Length: -5\r\n\r\n{}`, "Unavailable"],
  ["two different lengths", `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, "CutShort"],
  [
    "a length beside chunks",
    `${OK}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    "Unavailable",
  ],
  ["a chunk whose size is no number", `${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`, "CutShort"],
  ["a chunk longer than it says", `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX\r\n0\r\n\r\n`, "CutShort"],
  ["no HTTP at all", "SSH-2.0-OpenSSH_9.6\r\n", "Unavailable"],
  ["a status that is no number", "HTTP/1.1 abc OK\r\n\r\n", "Unavailable"],
  ["a header with a control character", `${OK}Bad\u0001: x\r\n\r\n`, "Unavailable"],
  ["headers without an end", `${OK}X: ${"a".repeat(200_000)}\r\n\r\n`, "Unavailable"],
];

const credentials = { get: async () => ({ accessKeyId: "id", accessKeySecret: "secret", provider: "test" }) };

describe("a malformed answer", () => {
  it.each(answers)(
    "%s: the document is asked for again, and the error says what happens next",
    async (_, answer, kind) => {
      reply = answer;
      hits = 0;
      const download = createDownload({ dispatcher, loopback: true, retries: 1, sleep: async () => {} });
      const error = await download(new URL("/k.json?Signature=TOPSECRET", endpoint)).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ name: kind, next: "retry" });
      expect((error as Error).message).not.toContain("TOPSECRET");
      expect(hits).toBe(2);
    },
  );

  it.each(answers)("%s: both clients retry", async (_, answer) => {
    reply = answer;
    const options = { endpoint, credentials, userAgent: "test", retries: 1, sleep: async () => {} };
    const clients = [
      createIms(createRpc({ dispatcher, version: "2020-11-09", ...options })),
      await createIceSdk({ load: async () => standIn, ...options }),
    ];
    for (const ims of clients) {
      hits = 0;
      const error = await ims.describeInstance("a").catch((thrown: Error) => thrown);
      expect((error as Error).name).toMatch(/^(Unavailable|CutShort)$/);
      expect(hits).toBe(2);
    }
  });

  it("is replaced by the next valid answer", async () => {
    reply = `${OK}Content-Length: abc\r\n\r\n{}`;
    const onRetry = (): void => {
      reply = `${OK}Content-Length: 2\r\nConnection: close\r\n\r\n{}`;
    };
    const download = createDownload({ dispatcher, loopback: true, retries: 1, sleep: async () => {}, onRetry });
    expect(Buffer.from((await download(new URL("/k.json", endpoint))).bytes).toString()).toBe("{}");
  });
});
