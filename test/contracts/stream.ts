import { expect } from "vitest";
import { ReaderGone } from "../../src/core/errors.ts";
import type { OpenStream } from "../../src/sinks/open-stream.ts";

/** A stream that is written to, and its other end. */
export interface MadeStream extends Pick<OpenStream, "put" | "flush" | "end" | "destroy"> {
  /** All that has come out, once the stream has ended or is still open but flushed. */
  received(): Promise<Buffer>;
  /** Closes the other end. */
  closeReader(): Promise<void>;
}
export type MakeStream = () => Promise<MadeStream>;
export type StreamCheck = (make: MakeStream) => Promise<void>;

/** What every sink for a stream promises. */
export const streamContract = {
  "texts and bytes come out in order, after each flush": async (make) => {
    const stream = await make();
    const pieces = ["a\n", Buffer.from([0xff, 0]), "长\ud800", "x".repeat(200_000), Buffer.alloc(200_000, 1), "end"];
    const expected: Buffer[] = [];
    for (const piece of [...pieces, ...pieces]) {
      stream.put(piece);
      expected.push(Buffer.from(piece as string));
      if (expected.length % 3 === 0) await stream.flush();
    }
    await stream.flush();
    await stream.end();
    expect((await stream.received()).equals(Buffer.concat(expected))).toBe(true);
  },

  "files beside the main one are left out": async (make) => {
    const stream = await make();
    stream.put("main ");
    stream.put("sidecar", { file: "sidecar.txt" });
    stream.put("whole", { file: "whole.txt", whole: true });
    stream.put("again");
    await stream.flush();
    await stream.end();
    expect((await stream.received()).toString()).toBe("main again");
  },

  "a reader that goes away is told as such, and never stops the process": async (make) => {
    const stream = await make();
    stream.put("first\n");
    await stream.flush();
    await stream.closeReader();
    const write = async (): Promise<void> => {
      // A pipe may take some more before it notices.
      for (let time = 0; time < 100; time += 1) {
        stream.put("more\n".repeat(10_000));
        await stream.flush();
        await new Promise((done) => setImmediate(done));
      }
    };
    const error = await write().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ReaderGone);
    stream.destroy();
  },
} satisfies Record<string, StreamCheck>;
