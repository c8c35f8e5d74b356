import { PassThrough, Readable } from "node:stream";
import { expect, it } from "vitest";
import { piecesOf } from "../../src/http/pieces.ts";

const all = async (stream: Readable): Promise<string[]> => {
  const pieces: string[] = [];
  for await (const piece of piecesOf(stream)) pieces.push(Buffer.from(piece).toString());
  return pieces;
};

it("gives each piece as it arrived, to the end", async () => {
  const stream = new PassThrough();
  for (const piece of ["ab", "c", "def"]) stream.write(piece);
  stream.end("g");
  expect(await all(stream)).toEqual(["ab", "c", "def", "g"]);
  expect(await all(Readable.from([Buffer.from("x")], { objectMode: false }))).toEqual(["x"]);
  expect(await all(new PassThrough().end())).toEqual([]);
});

it("gives what arrived before an error, and then the error", async () => {
  const stream = new Readable({ read: () => {} });
  stream.push("ab");
  const pieces = piecesOf(stream);
  expect(Buffer.from((await pieces.next()).value ?? []).toString()).toBe("ab");
  const next = pieces.next();
  stream.destroy(new Error("broken"));
  await expect(next).rejects.toThrow("broken");
});

it("does not wait for a stream that was closed", async () => {
  const failed = new Readable({ read: () => {} });
  failed.on("error", () => {}).destroy(new Error("broken"));
  await expect(all(failed)).rejects.toThrow("broken");
  await expect(all(new Readable({ read: () => {} }).destroy())).rejects.toThrow("closed");
  const closing = new Readable({ read: () => {} });
  const reading = all(closing);
  closing.destroy();
  await expect(reading).rejects.toThrow("closed");
});

it("takes no more than it gives: the stream waits", async () => {
  let made = 0;
  const stream = new Readable({
    highWaterMark: 10,
    read() {
      made += 1;
      this.push(Buffer.alloc(10));
    },
  });
  const pieces = piecesOf(stream);
  for (let i = 0; i < 5; i++) await pieces.next();
  expect(made).toBeLessThanOrEqual(8);
  await pieces.return(undefined);
});
