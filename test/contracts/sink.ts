import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect } from "vitest";
import type { Chunk } from "../../src/core/ports.ts";
import type { FileFacts } from "../../src/sinks/atomic-file.ts";

/** A file that is being written. */
export interface MadeSink {
  add(data: Chunk, rows?: number): void;
  flush(): Promise<void>;
  /** Completes it: the file appears. Resolves to its facts, if the sink knows them. */
  finish(): Promise<FileFacts | undefined>;
  /** Gives it up. */
  discard(): Promise<void>;
}
export type MakeSink = (path: string) => Promise<MadeSink>;
export type SinkCheck = (make: MakeSink) => Promise<void>;

/** Runs a check in a folder of its own. */
const inFolder = async (check: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "sink-"));
  try {
    await check(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** All files below a folder. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile())
    .toSorted();

/** The text of a file; undefined if there is none. */
const textOf = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, "utf8") : undefined);

const modeOf = (path: string): number => statSync(path).mode & 0o777;

/** More than any buffer holds. */
const LONG = "a long line 长 \u{1f600}\n".repeat(100_000);

/** What every sink of files promises. */
export const sinkContract = {
  "a file appears under its name when it is finished, and then whole": (make) =>
    inFolder(async (folder) => {
      const path = join(folder, "out.txt");
      const sink = await make(path);
      for (let part = 0; part < 3; part += 1) {
        sink.add(LONG, 1);
        await sink.flush();
        expect(existsSync(path)).toBe(false);
      }
      await sink.finish();
      expect(textOf(path) === LONG.repeat(3)).toBe(true);
      expect(filesIn(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
    }),

  "an older file stays whole until the new one takes its place": (make) =>
    inFolder(async (folder) => {
      const path = join(folder, "out.txt");
      writeFileSync(path, "older");
      const sink = await make(path);
      sink.add(LONG);
      await sink.flush();
      expect(textOf(path)).toBe("older");
      await sink.finish();
      expect(textOf(path) === LONG).toBe(true);
    }),

  "a file that is given up leaves nothing, and an older file as it was": (make) =>
    inFolder(async (folder) => {
      const path = join(folder, "out.txt");
      for (const older of [undefined, "older"]) {
        if (older !== undefined) writeFileSync(path, older);
        const sink = await make(path);
        sink.add(LONG);
        await sink.flush();
        sink.add("more");
        await sink.discard();
        expect(filesIn(folder)).toEqual(older === undefined ? [] : ["out.txt"]);
      }
      expect(textOf(path)).toBe("older");
    }),

  "texts and bytes come out as they went in, in any order and size": (make) =>
    inFolder(async (folder) => {
      const text = fc.oneof(
        fc.string({ unit: "binary" }),
        fc.constantFrom("", "\u0000", "\ud800", "a\udc00b", "x".repeat(90_000), "长".repeat(200_000)),
      );
      const bytes = fc.oneof(fc.uint8Array(), fc.constant(new Uint8Array(300_000).fill(0xff)));
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(text, bytes, fc.constant(undefined)), { maxLength: 12 }), async (pieces) => {
          round += 1;
          const path = join(folder, `out${round}`);
          const sink = await make(path);
          for (const piece of pieces) {
            if (piece === undefined) await sink.flush();
            else sink.add(piece);
          }
          await sink.finish();
          const expected = Buffer.concat(
            pieces.flatMap((piece) => (piece === undefined ? [] : Buffer.from(piece as string))),
          );
          expect(readFileSync(path).equals(expected)).toBe(true);
        }),
        { numRuns: 40 },
      );
    }),

  "the facts of a file are its SHA-256, bytes and rows": (make) =>
    inFolder(async (folder) => {
      const path = join(folder, "out.txt");
      const sink = await make(path);
      sink.add(LONG, 2);
      await sink.flush();
      sink.add(Buffer.from([0xff, 0]), 3);
      sink.add("长");
      const facts = await sink.finish();
      const content = readFileSync(path);
      const sha256 = createHash("sha256").update(content).digest("hex");
      expect(content.length).toBe(Buffer.byteLength(LONG) + 5);
      if (facts) expect(facts).toEqual({ name: "out.txt", rows: 5, bytes: content.length, sha256 });
    }),

  "nothing to write makes an empty file": (make) =>
    inFolder(async (folder) => {
      const path = join(folder, "out.txt");
      const facts = await (await make(path)).finish();
      expect(textOf(path)).toBe("");
      if (facts) expect(facts).toMatchObject({ rows: 0, bytes: 0 });
    }),

  "only its owner may read a file, and enter the folders made for it": (make) =>
    inFolder(async (folder) => {
      const path = join(folder, "new", "deep", "out.txt");
      const before = process.umask(0);
      try {
        const sink = await make(path);
        sink.add("secret");
        await sink.flush();
        for (const name of filesIn(folder)) expect(modeOf(join(folder, name))).toBe(0o600);
        await sink.finish();
      } finally {
        process.umask(before);
      }
      expect(modeOf(path)).toBe(0o600);
      expect([modeOf(join(folder, "new")), modeOf(join(folder, "new", "deep"))]).toEqual([0o700, 0o700]);
    }),

  "two that write one name at the same time do not mix": (make) =>
    inFolder(async (folder) => {
      const path = join(folder, "out.txt");
      const [one, other] = [await make(path), await make(path)];
      for (let part = 0; part < 3; part += 1) {
        one.add("one ".repeat(50_000));
        other.add("other ".repeat(50_000));
        await Promise.all([one.flush(), other.flush()]);
      }
      await one.finish();
      expect(textOf(path) === "one ".repeat(150_000)).toBe(true);
      await other.finish();
      expect(textOf(path) === "other ".repeat(150_000)).toBe(true);
    }),

  "a name that is taken by a folder is an error, and nothing is left": (make) =>
    inFolder(async (folder) => {
      const path = join(folder, "out.txt");
      mkdirSync(join(path, "inner"), { recursive: true });
      const write = async (): Promise<void> => {
        const sink = await make(path);
        try {
          sink.add("text");
          await sink.finish();
        } catch (error) {
          await sink.discard();
          throw error;
        }
      };
      const error = await write().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(filesIn(folder)).toEqual([]);
    }),
} satisfies Record<string, SinkCheck>;
