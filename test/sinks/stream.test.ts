import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { openStream, type StreamContext } from "../../src/sinks/open-stream.ts";
import { Broken, expectCaught } from "../contracts/mutants.ts";
import { type MadeStream, type MakeStream, type StreamCheck, streamContract } from "../contracts/stream.ts";

const cleaners: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleaners.splice(0)) clean();
});
const folderOf = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "stream-"));
  cleaners.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const never = new AbortController().signal;
const context: StreamContext = { closing: never, ending: never, log: () => undefined };
const streams = () => ({ stdout: new PassThrough({ highWaterMark: 10_000_000 }), stderr: new PassThrough() });

const STREAMS: Record<string, MakeStream> = {
  "standard output": async () => {
    const both = streams();
    const opened = await openStream(undefined, both, context);
    return {
      ...opened,
      received: async () => both.stdout.read() ?? Buffer.alloc(0),
      closeReader: async () => void both.stdout.destroy(),
    };
  },

  "a pipe": async () => {
    const folder = folderOf();
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    const reader = spawn("sh", ["-c", `exec cat < ${path} > ${path}.out`]);
    const ended = new Promise((done) => reader.once("close", done));
    cleaners.push(() => reader.kill("SIGKILL"));
    const opened = await openStream({ kind: "pipe", path }, streams(), context);
    return {
      ...opened,
      received: async () => {
        await ended;
        return readFileSync(`${path}.out`);
      },
      closeReader: async () => {
        reader.kill("SIGKILL");
        await ended;
      },
    };
  },

  "a socket": async () => {
    const path = join(folderOf(), "socket");
    const pieces: Buffer[] = [];
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("data", (data) => pieces.push(data)).on("error", () => undefined);
    });
    await new Promise<void>((done) => server.listen(path, done));
    cleaners.push(() => server.close());
    const opened = await openStream({ kind: "socket", path }, streams(), context);
    return {
      ...opened,
      received: async () => {
        await Promise.all(
          sockets.map((socket) => socket.readableEnded || new Promise((done) => socket.once("end", done))),
        );
        return Buffer.concat(pieces);
      },
      closeReader: async () => {
        for (const socket of sockets) socket.destroy();
      },
    };
  },
};

for (const [name, make] of Object.entries(STREAMS))
  describe(`${name} keeps the contract of streams`, () => {
    for (const [sentence, check] of Object.entries<StreamCheck>(streamContract)) test(sentence, () => check(make));
  });

test("standard output stays open for later messages", async () => {
  const both = streams();
  const { put, flush, end, destroy } = await openStream({ kind: "descriptor", fd: 1 }, both, context);
  put("data");
  await flush();
  await end();
  destroy();
  expect([both.stdout.writableEnded, both.stdout.destroyed]).toEqual([false, false]);
});

test("a pipe without a reader waits for one, and a signal ends that", async () => {
  const path = join(folderOf(), "pipe");
  execFileSync("mkfifo", [path]);
  const closing = new AbortController();
  const events: string[] = [];
  const waiting = openStream({ kind: "pipe", path }, streams(), {
    ...context,
    closing: closing.signal,
    log: (_, event) => {
      events.push(event);
      closing.abort(new Error("enough"));
    },
  });
  await expect(waiting).rejects.toThrow("enough");
  expect(events).toEqual(["no-reader"]);
});

type Mutate = (real: MadeStream) => Partial<MadeStream>;

/** For each clause, streams that break it. */
const MUTANTS: { [Sentence in keyof typeof streamContract]: Record<string, Mutate> } = {
  "texts and bytes come out in order, after each flush": {
    "texts are latin1": (real) => ({
      put: (data, options) => real.put(typeof data === "string" ? Buffer.from(data, "latin1") : data, options),
    }),
    "a flush loses what came before": (real) => {
      let flushed = 0;
      return {
        put: (data, options) => {
          if (flushed < 1) real.put(data, options);
        },
        flush: async () => {
          flushed += 1;
          await real.flush();
        },
      };
    },
  },
  "files beside the main one are left out": { "all files come out": (real) => ({ put: (data) => real.put(data) }) },
  "a reader that goes away is told as such, and never stops the process": {
    "nobody is told": (real) => ({ flush: () => real.flush().catch(() => undefined) }),
    "it is any error": (real) => ({
      flush: () =>
        real.flush().catch(() => {
          throw new Broken("EPIPE");
        }),
    }),
  },
};

describe("the contract of streams catches a stream that breaks a promise:", () => {
  const make = STREAMS["standard output"] as MakeStream;
  for (const [sentence, mutants] of Object.entries(MUTANTS))
    test(sentence, async () => {
      const check = (streamContract as Record<string, StreamCheck>)[sentence] as StreamCheck;
      for (const [breaks, mutate] of Object.entries(mutants))
        await expectCaught(breaks, () =>
          check(async () => {
            const real = await make();
            return { ...real, ...mutate(real) };
          }),
        );
    });
});
