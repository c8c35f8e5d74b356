import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CutShort, NotFound, Unavailable } from "../../src/core/errors.ts";
import type { OpenFile, OpenRange } from "../../src/core/media.ts";
import { Crc64 } from "../../src/http/crc64.ts";
import { downloadFile, type FileDownload } from "../../src/http/file-download.ts";

const folder = mkdtempSync(join(tmpdir(), "file-download-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => join(folder, `file-${++files}`);

const MB = 1024 * 1024;
const bytesOf = (length: number, seed = 1): Buffer => {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8) * 13 + seed * 101) & 0xff;
  return bytes;
};
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const crc64 = (bytes: Uint8Array): string => {
  const crc = new Crc64();
  crc.update(bytes);
  return crc.digest();
};
const broken = (): CutShort => new CutShort("The answer ended early.", { code: "ECONNRESET" });

/** Rejects when the signal is aborted. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });

/** What a server does with one request. */
interface Behaviour {
  content: Buffer;
  etag?: string | undefined;
  /** The connection breaks after so many bytes of the body. */
  breakAfter?: number;
  piece?: number;
  /** It sends the whole file, whatever is asked for. */
  ignoresRange?: boolean;
  silentLength?: boolean;
  facts?: Partial<OpenFile>;
}

interface FakeServer {
  open: OpenRange;
  requests: [from: number, etag: string | undefined][];
}

/** A server whose behaviour is decided anew for each request. */
const serverOf = (behaviourOf: (request: number) => Behaviour): FakeServer => {
  const requests: FakeServer["requests"] = [];
  const open: OpenRange = async (asked, wantedEtag, signal) => {
    signal.throwIfAborted();
    const { content, etag, breakAfter, piece = 64, ignoresRange, silentLength, facts } = behaviourOf(requests.length);
    requests.push([asked, wantedEtag]);
    const from = ignoresRange || (asked > 0 && wantedEtag !== etag) ? 0 : asked;
    async function* body(): AsyncGenerator<Uint8Array> {
      const end = Math.min(content.length, from + (breakAfter ?? Number.POSITIVE_INFINITY));
      for (let at = from; at < end; at += piece) {
        signal.throwIfAborted();
        yield content.subarray(at, Math.min(end, at + piece));
      }
      if (end < content.length || breakAfter === 0) throw broken();
    }
    return {
      body: body(),
      from,
      ...(!silentLength && { bytes: content.length }),
      ...(etag !== undefined && { etag }),
      ...facts,
    };
  };
  return { open, requests };
};

const download = (open: OpenRange, options: Partial<FileDownload> = {}) =>
  downloadFile({
    open,
    path: newPath(),
    maxBytes: 100 * MB,
    retries: 3,
    sleep: async () => {},
    random: () => 0,
    ...options,
  });

describe("a file", () => {
  it.each([0, 1, 63, 64, 65, 5000])("of %i bytes arrives whole, under its name alone", async (length) => {
    const [content, path] = [bytesOf(length), newPath()];
    const { open } = serverOf(() => ({ content, etag: '"a"', facts: { crc64: crc64(content) } }));
    const seen: number[] = [];
    const file = await download(open, { path, progress: (bytes) => void seen.push(bytes) });
    expect(file).toEqual({ sha256: sha256(content), bytes: length, start: Buffer.from(content.subarray(0, 64)) });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(seen.at(-1) ?? 0).toBe(length);
    expect([existsSync(`${path}.part`), existsSync(`${path}.part.json`)]).toEqual([false, false]);
  });

  it("arrives over a link that breaks many times, each part once", async () => {
    const content = bytesOf(10 * MB);
    const server = serverOf((request) => ({
      content,
      etag: '"a"',
      piece: 65_536,
      ...(request < 9 && { breakAfter: MB }),
    }));
    await expect(download(server.open)).resolves.toMatchObject({ sha256: sha256(content) });
    expect(server.requests).toEqual(
      Array.from({ length: 10 }, (_, at) => [at * MB, at === 0 ? undefined : '"a"'] as const),
    );
  });

  it("is the same whatever breaks, changes and restarts on the way", async () => {
    const behaviour = fc.record({
      content: fc.constantFrom(1, 2),
      breakAfter: fc.option(fc.nat(400)),
      piece: fc.integer({ min: 1, max: 300 }),
      ignoresRange: fc.boolean(),
      hasEtag: fc.boolean(),
      silentLength: fc.boolean(),
      stopsProcess: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(700),
        fc.array(behaviour, { maxLength: 12 }),
        fc.constantFrom(1, 2),
        async (length, before, last) => {
          const path = newPath();
          const contents = { 1: bytesOf(length, 1), 2: bytesOf(length + 3, 2) };
          const server = serverOf((request) => {
            const now = before[request];
            const content = contents[(now?.content ?? last) as 1 | 2];
            if (!now) return { content, etag: `"${last}"`, facts: { crc64: crc64(content) } };
            const { breakAfter, piece, ignoresRange, silentLength } = now;
            const etag = now.hasEtag ? `"${now.content}"` : undefined;
            return { content, etag, piece, ignoresRange, silentLength, ...(breakAfter !== null && { breakAfter }) };
          });
          // Each failure of a call is a process that ended; the next call is a new one.
          let file: Awaited<ReturnType<typeof download>> | undefined;
          for (let call = 0; call <= before.length && !file; call++) {
            const retries = before[server.requests.length]?.stopsProcess ? 0 : 2;
            file = await download(server.open, { path, retries }).catch((error: unknown) => {
              if (error instanceof CutShort) return undefined;
              throw error;
            });
          }
          const arrived = readFileSync(path);
          expect(Object.values(contents).some((content) => content.equals(arrived))).toBe(true);
          expect(file).toMatchObject({ sha256: sha256(arrived), bytes: arrived.length });
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("a link that is no use", () => {
  it("gives a byte per attempt: it ends", async () => {
    const server = serverOf(() => ({ content: bytesOf(100_000), etag: '"a"', breakAfter: 1 }));
    await expect(download(server.open, { retries: 3 })).rejects.toThrow("ended early");
    expect(server.requests.map(([from]) => from)).toEqual([0, 1, 2, 3]);
  });

  it("cannot continue and always breaks: it ends, however much arrives each time", async () => {
    const content = bytesOf(4 * MB);
    const server = serverOf(() => ({ content, piece: 65_536, breakAfter: 3 * MB }));
    await expect(download(server.open, { retries: 3 })).rejects.toThrow("ended early");
    // The first attempt was progress.
    expect(server.requests).toHaveLength(5);
  });

  it("gives a wrong checksum each time: it ends, and nothing is left that looks like the file", async () => {
    const [content, path] = [bytesOf(MB), newPath()];
    const server = serverOf(() => ({ content, etag: '"a"', piece: 65_536, facts: { crc64: "1" } }));
    await expect(download(server.open, { path })).rejects.toMatchObject({
      name: "CutShort",
      facts: { code: "BadChecksum" },
    });
    expect([existsSync(path), statSync(`${path}.part`).size]).toEqual([false, 0]);
    expect(server.requests.every(([from]) => from === 0)).toBe(true);
  });

  describe("in time that the test decides", () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
    afterEach(() => void vi.useRealTimers());

    it("stops sending: the attempt fails after a time without bytes, and the next one continues", async () => {
      const content = bytesOf(1000);
      const inner = serverOf(() => ({ content, etag: '"a"' }));
      const open: OpenRange = async (from, etag, signal) => {
        const file = await inner.open(from, etag, signal);
        if (inner.requests.length > 1) return file;
        async function* body(): AsyncGenerator<Uint8Array> {
          yield content.subarray(0, 10);
          vi.advanceTimersByTime(60_000);
          await aborted(signal);
        }
        return { ...file, body: body() };
      };
      const errors: string[] = [];
      await download(open, { onRetry: ({ error }) => void errors.push(error.facts.code) });
      expect(errors).toEqual(["Stalled"]);
      expect(inner.requests).toEqual([
        [0, undefined],
        [10, '"a"'],
      ]);
    });

    it("trickles: it counts as stalled, and a slow link does not", async () => {
      /** A second for each piece. */
      const slow = (piece: number): OpenRange => {
        const { open } = serverOf(() => ({ content: bytesOf(3 * MB), etag: '"a"', piece }));
        return async (from, etag, signal) => {
          const file = await open(from, etag, signal);
          async function* body(): AsyncGenerator<Uint8Array> {
            for await (const bytes of file.body) {
              vi.advanceTimersByTime(1000);
              signal.throwIfAborted();
              yield bytes;
            }
          }
          return { ...file, body: body() };
        };
      };
      await expect(download(slow(100))).rejects.toMatchObject({ facts: { code: "Stalled" } });
      await expect(download(slow(1024), { retries: 0 })).resolves.toMatchObject({ bytes: 3 * MB });
    });

    it("sends nothing for an open: it counts as stalled", async () => {
      const open: OpenRange = (_, __, signal) => {
        vi.advanceTimersByTime(60_000);
        return aborted(signal);
      };
      await expect(download(open)).rejects.toThrow("The download stalled: fewer than 16 KB arrived in 60 s.");
    });
  });
});

describe("limits", () => {
  it("a file that announces more than the limit is refused unread", async () => {
    let isRead = false;
    const open: OpenRange = async () => {
      async function* body(): AsyncGenerator<Uint8Array> {
        isRead = true;
        yield bytesOf(1);
      }
      return { body: body(), from: 0, bytes: 2 * MB };
    };
    const path = newPath();
    await expect(download(open, { path, maxBytes: MB })).rejects.toMatchObject({
      name: "Refused",
      message: "The file has more than 1 MB, the limit.",
      facts: { code: "TooLarge" },
    });
    expect([isRead, existsSync(`${path}.part`), existsSync(`${path}.part.json`)]).toEqual([false, false, false]);
  });

  it("a file that has more than the limit, whatever it announced, is refused, and its part is deleted", async () => {
    const path = newPath();
    const server = serverOf(() => ({ content: bytesOf(2 * MB), piece: 65_536, silentLength: true }));
    await expect(download(server.open, { path, maxBytes: MB })).rejects.toMatchObject({ facts: { code: "TooLarge" } });
    expect([server.requests.length, existsSync(`${path}.part`)]).toEqual([1, false]);
  });

  it("a file longer than announced is not stored", async () => {
    const path = newPath();
    const server = serverOf(() => ({ content: bytesOf(500), etag: '"a"', facts: { bytes: 400 } }));
    await expect(download(server.open, { path })).rejects.toMatchObject({ facts: { code: "TooLong" } });
    expect(existsSync(path)).toBe(false);
  });

  it("a file that the disk has no space for is refused at once, with a message that says so", async () => {
    const path = newPath();
    const bytes = 2 ** 52;
    const open: OpenRange = async () => ({
      ...(await serverOf(() => ({ content: bytesOf(1) })).open(0, undefined, signal)),
      bytes,
    });
    const { signal } = new AbortController();
    await expect(download(open, { path, maxBytes: 2 ** 53 })).rejects.toThrow(
      /^No space is left on the disk for .*file-\d+ \(it needs \d+ MB, and \d+ MB are free\)\. What was downloaded is kept/,
    );
  });
});

describe("checks", () => {
  it("an MD5 is checked too", async () => {
    const content = bytesOf(5000);
    const md5 = createHash("md5").update(content).digest("hex");
    await expect(download(serverOf(() => ({ content, facts: { md5 } })).open)).resolves.toMatchObject({ bytes: 5000 });
    const wrong = serverOf(() => ({ content, facts: { md5: md5.replace(/./g, "0") } }));
    await expect(download(wrong.open)).rejects.toThrow("does not match its MD5");
  });

  it("bytes that were damaged on the way are downloaded again", async () => {
    const content = bytesOf(5000);
    const server = serverOf((request) => ({
      content: request === 0 ? bytesOf(5000, 9) : content,
      etag: '"a"',
      facts: { crc64: crc64(content) },
    }));
    await expect(download(server.open)).resolves.toMatchObject({ sha256: sha256(content) });
    expect(server.requests).toEqual([
      [0, undefined],
      [0, undefined],
    ]);
  });

  it.each<[string, Partial<Behaviour>]>([
    ["another ETag", { etag: '"b"' }],
    ["another length", { facts: { bytes: 999 } }],
    ["another checksum", { facts: { crc64: "7" } }],
    ["another place", { facts: { from: 400 } }],
    ["no ETag", { etag: undefined }],
  ])("a part with %s is not added: the file begins again", async (_, second) => {
    const content = bytesOf(1000);
    const server = serverOf((request) => {
      if (request === 0) return { content, etag: '"a"', breakAfter: 500 };
      // It sends the range all the same.
      if (request === 1)
        return {
          content: bytesOf(1000, 5),
          etag: '"a"',
          ...second,
          facts: { from: 500, ...("etag" in second ? { etag: second.etag as string } : {}), ...second.facts },
        };
      return { content, etag: '"a"' };
    });
    const codes: string[] = [];
    const file = await download(server.open, { onRetry: ({ error }) => void codes.push(error.facts.code) });
    expect(file.sha256).toBe(sha256(content));
    expect(codes).toEqual(["ECONNRESET", "Changed"]);
    expect(server.requests.at(-1)).toEqual([0, undefined]);
  });

  it("a part that is longer than the file now is: the file begins again", async () => {
    const content = bytesOf(100);
    const inner = serverOf(() => ({ content, etag: '"a"' }));
    let asked = 0;
    const open: OpenRange = async (from, etag, signal) => {
      if (asked++ === 0)
        return serverOf(() => ({ content: bytesOf(1000), etag: '"a"', silentLength: true, breakAfter: 500 })).open(
          from,
          etag,
          signal,
        );
      if (from >= content.length)
        throw new (await import("../../src/core/errors.ts")).Refused("no", { code: "InvalidRange", status: 416 });
      return inner.open(from, etag, signal);
    };
    await expect(download(open)).resolves.toMatchObject({ bytes: 100, sha256: sha256(content) });
  });
});

describe("another process", () => {
  const content = bytesOf(300_000);
  const partial = async (path: string, etag: string | undefined = '"a"') => {
    const server = serverOf(() => ({ content, etag, piece: 1000, breakAfter: 200_000 }));
    await expect(download(server.open, { path, retries: 0 })).rejects.toThrow("ended early");
  };

  it("continues the part, and checks all of it", async () => {
    const path = newPath();
    await partial(path);
    expect(readFileSync(`${path}.part.json`, "utf8")).toBe('{"etag":"\\"a\\"","bytes":300000}');
    const server = serverOf(() => ({ content, etag: '"a"', facts: { crc64: undefined as never } }));
    const file = await download(server.open, { path });
    expect(server.requests).toEqual([[200_000, '"a"']]);
    expect(file).toEqual({ sha256: sha256(content), bytes: 300_000, start: Buffer.from(content.subarray(0, 64)) });
  });

  it("requests the last byte of a part that is complete, because only the answer says that it is the same file", async () => {
    const path = newPath();
    await partial(path);
    writeFileSync(`${path}.part`, content);
    const server = serverOf(() => ({ content, etag: '"a"' }));
    await expect(download(server.open, { path })).resolves.toMatchObject({ sha256: sha256(content) });
    expect(server.requests).toEqual([[299_999, '"a"']]);
  });

  it.each<[string, (path: string) => void]>([
    ["lacks its description", (path) => rmSync(`${path}.part.json`)],
    ["has a damaged description", (path) => writeFileSync(`${path}.part.json`, '{"etag":')],
    ["has a description of another kind", (path) => writeFileSync(`${path}.part.json`, "[]")],
    [
      "has an ETag that is no header",
      (path) => writeFileSync(`${path}.part.json`, '{"etag":"a\\r\\nX: 1","bytes":300000}'),
    ],
  ])("begins again when the part %s", async (_, spoil) => {
    const path = newPath();
    await partial(path);
    spoil(path);
    const server = serverOf(() => ({ content, etag: '"a"' }));
    await expect(download(server.open, { path })).resolves.toMatchObject({ sha256: sha256(content) });
    expect(server.requests).toEqual([[0, undefined]]);
  });

  it("begins again when the server gave no ETag", async () => {
    const path = newPath();
    const server = serverOf(() => ({ content, piece: 1000, breakAfter: 200_000 }));
    await expect(download(server.open, { path, retries: 0 })).rejects.toThrow();
    const second = serverOf(() => ({ content }));
    await download(second.open, { path });
    expect(second.requests).toEqual([[0, undefined]]);
  });

  it("does not write through a link that lies in the place of the part", async () => {
    const [path, target] = [newPath(), newPath()];
    writeFileSync(target, "precious");
    symlinkSync(target, `${path}.part`);
    await expect(download(serverOf(() => ({ content })).open, { path })).rejects.toThrow("ELOOP");
    expect(readFileSync(target, "utf8")).toBe("precious");
  });
});

describe("when it ends early", () => {
  it("by abort, the part stays", async () => {
    const [path, content] = [newPath(), bytesOf(MB)];
    const stop = new AbortController();
    const server = serverOf(() => ({ content, etag: '"a"', piece: 65_536 }));
    const progress = (bytes: number): void => {
      if (bytes >= MB / 2) stop.abort(new Error("Stopped."));
    };
    await expect(download(server.open, { path, signal: stop.signal, progress })).rejects.toThrow("Stopped.");
    expect([existsSync(path), statSync(`${path}.part`).size]).toEqual([false, MB / 2]);
    await expect(download(server.open, { path })).resolves.toMatchObject({ sha256: sha256(content) });
    expect(server.requests.at(-1)).toEqual([MB / 2, '"a"']);
  });

  it("because the file is gone, nothing stays", async () => {
    const path = newPath();
    const server = serverOf(() => ({ content: bytesOf(1000), etag: '"a"', breakAfter: 500 }));
    const open: OpenRange = (from, ...rest) =>
      from === 0 ? server.open(from, ...rest) : Promise.reject(new NotFound("gone", { code: "NoSuchKey" }));
    await expect(download(open, { path })).rejects.toBeInstanceOf(NotFound);
    expect([existsSync(`${path}.part`), existsSync(`${path}.part.json`)]).toEqual([false, false]);
  });

  it("because the service fails, the part stays", async () => {
    const path = newPath();
    const server = serverOf(() => ({ content: bytesOf(1000), etag: '"a"', breakAfter: 500 }));
    const open: OpenRange = (from, ...rest) =>
      from === 0 ? server.open(from, ...rest) : Promise.reject(new Unavailable("down", { code: "HTTP503" }));
    await expect(download(open, { path })).rejects.toThrow("down");
    expect(statSync(`${path}.part`).size).toBe(500);
  });
});
