import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidDocument } from "../../src/core/errors.ts";
import { lines } from "../../src/parse/lines.ts";

async function* stream(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
const split = (bytes: Uint8Array, ...sizes: number[]): Uint8Array[] => {
  const chunks: Uint8Array[] = [];
  let from = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(from, from + size));
    from += size;
  }
  return [...chunks, bytes.subarray(from)];
};
const read = async (chunks: Iterable<Uint8Array>, limit?: number): Promise<string[]> => {
  const all: string[] = [];
  for await (const line of lines(stream(chunks), limit)) all.push(line);
  return all;
};
const text = (value: string) => [Buffer.from(value)];

describe("lines", () => {
  it("end with \\n or \\r\\n, the last perhaps with nothing", async () => {
    expect(await read(text("a\nb\r\n\nc"))).toEqual(["a", "b", "", "c"]);
    expect(await read(text("a\n"))).toEqual(["a"]);
    expect(await read(text(""))).toEqual([]);
    expect(await read([])).toEqual([]);
  });
  it("keep a carriage return inside, and other line separators", async () => {
    expect(await read(text("a\rb\u2028c\u0085d\n"))).toEqual(["a\rb\u2028c\u0085d"]);
  });
  it("lose a byte order mark at the start, even in pieces", async () => {
    expect(await read(split(Buffer.from("\uFEFFa\nb"), 1, 1))).toEqual(["a", "b"]);
  });
  it("are the same however the bytes arrive", async () => {
    const line = fc.string({ unit: "binary" }).map((value) => value.replaceAll(/[\r\n\uFEFF]/g, "."));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.integer({ min: 0, max: 5 })), async (expected, sizes) => {
        const bytes = Buffer.from(expected.map((value) => `${value}\r\n`).join(""));
        expect(await read(split(bytes, ...sizes))).toEqual(expected);
      }),
    );
  });
  it("replace bytes that are not UTF-8, and continue", async () => {
    expect(await read([Buffer.from([0x61, 0xff, 0x0a, 0x62])])).toEqual(["a\ufffd", "b"]);
    expect(await read([Buffer.from([0xe4, 0xb8])])).toEqual(["\ufffd"]);
  });
  it("stop at a line that is too long, in any chunks", async () => {
    expect(await read(text("abc\nabc"), 3)).toEqual(["abc", "abc"]);
    await expect(read(text("abcd\n"), 3)).rejects.toBeInstanceOf(InvalidDocument);
    await expect(read(split(Buffer.from("abcd"), 1, 1, 1), 3)).rejects.toThrow("3 characters");
  });
  it("take time in proportion to their length", async () => {
    const chunk = Buffer.alloc(16, "x");
    const [line] = await read(Array.from({ length: 200_000 }, () => chunk));
    expect(line).toHaveLength(3_200_000);
  });
});
