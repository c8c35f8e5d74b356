import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBatches } from "../../src/core/flow/batches.ts";
import { inOrder } from "../../src/core/flow/ordered.ts";

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A write that waits for `done`, and what was given to it. */
const writer = () => {
  const batches: number[][] = [];
  let abreast = 0;
  let most = 0;
  const open: (() => void)[] = [];
  return {
    batches,
    most: () => most,
    write: async (batch: number[]): Promise<void> => {
      batches.push(batch);
      abreast += 1;
      most = Math.max(most, abreast);
      await new Promise<void>((resolve) => open.push(resolve));
      abreast -= 1;
    },
    done: () => open.shift()?.(),
  };
};

const NEVER = 1e9;

describe("batches", () => {
  test("hold everything once, in order, at most maxCount pieces, written one at a time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 })),
        fc.integer({ min: 1, max: 5 }),
        async (pieces, most) => {
          const { batches, most: abreast, write, done } = writer();
          const queue = inBatches({
            write,
            maxCount: most,
            maxSize: 20,
            sizeOf: (piece: number) => piece,
            maxDelayMs: NEVER,
          });
          let ended = false;
          const all = (async () => {
            for (const piece of pieces) await queue.add(piece);
            await queue.flush();
            ended = true;
          })();
          while (!ended) {
            done();
            await tick();
          }
          await all;
          expect(batches.flat()).toEqual(pieces);
          expect(abreast()).toBeLessThanOrEqual(1);
          for (const batch of batches) {
            expect(batch.length).toBeLessThanOrEqual(most);
            // The piece that fills it may be larger than what was left.
            expect(batch.slice(0, -1).reduce((sum, piece) => sum + piece, 0)).toBeLessThan(20);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test("accept pieces up to the limit, and no more", async () => {
    const { batches, write, done } = writer();
    const queue = inBatches({ write, maxCount: 2, maxSize: NEVER, sizeOf: () => 0, maxDelayMs: NEVER });
    const added: number[] = [];
    const add = (piece: number) => queue.add(piece).then(() => added.push(piece));
    await Promise.all([add(1), add(2), add(3)]);
    expect(batches).toEqual([[1, 2]]);
    const full = add(4);
    await tick();
    expect(added).toEqual([1, 2, 3]);
    done();
    await full;
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("do not keep a lone piece waiting for others", async () => {
    const { batches, write } = writer();
    const queue = inBatches({ write, maxCount: 100, maxSize: NEVER, sizeOf: () => 0, maxDelayMs: 1 });
    await queue.add(1);
    while (batches.length === 0) await tick();
    expect(batches).toEqual([[1]]);
  });

  test("reject every caller when a write fails", async () => {
    const queue = inBatches({
      write: () => Promise.reject(new Error("full")),
      maxCount: 1,
      maxSize: NEVER,
      sizeOf: () => 0,
      maxDelayMs: NEVER,
    });
    await queue.add(1).catch(() => undefined);
    await expect(queue.flush()).rejects.toThrow("full");
    await expect(queue.add(2)).rejects.toThrow("full");
  });
});

describe("results in order", () => {
  async function* numbers(count: number): AsyncGenerator<number> {
    for (let number = 0; number < count; number += 1) yield number;
  }

  test("come in the order of their items, with a bounded number in work", async () => {
    let under = 0;
    let most = 0;
    const seen: number[] = [];
    const work = async (number: number): Promise<number> => {
      under += 1;
      most = Math.max(most, under);
      // Later ones are ready sooner.
      for (let wait = number % 7; wait < 7; wait += 1) await tick();
      under -= 1;
      return number;
    };
    for await (const number of inOrder(numbers(30), { ahead: 3, maxSize: NEVER, sizeOf: () => 0 }, work))
      seen.push(number);
    expect(seen).toEqual(Array.from({ length: 30 }, (_, at) => at));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  test("of large items are worked on one at a time", async () => {
    let under = 0;
    const work = async (number: number): Promise<number> => {
      under += number >= 10 ? 1 : 0;
      expect(under).toBeLessThanOrEqual(1);
      await tick();
      under -= number >= 10 ? 1 : 0;
      return number;
    };
    const seen: number[] = [];
    for await (const number of inOrder(numbers(20), { ahead: 5, maxSize: 15, sizeOf: (each) => each }, work))
      seen.push(number);
    expect(seen).toHaveLength(20);
  });

  test("end with the first error", async () => {
    const seen: number[] = [];
    const all = async (): Promise<void> => {
      for await (const number of inOrder(numbers(9), { ahead: 2, maxSize: NEVER, sizeOf: () => 0 }, async (each) => {
        if (each === 4) throw new Error("four");
        return each;
      }))
        seen.push(number);
    };
    await expect(all()).rejects.toThrow("four");
    expect(seen).toEqual([0, 1, 2, 3]);
  });
});
