import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arrange, type Delivery } from "../../src/emulator/callback-order.ts";

const events = ["agent_start", "chat_record", "audio_record", "agent_stop"];
const callsOf = (lengths: readonly number[]): Delivery[][] =>
  lengths.map((length, call) =>
    Array.from({ length }, (_, n) => ({ key: `${call}-${n}`, event: events[n % events.length] ?? "", body: "{}" })),
  );
const keys = (lanes: readonly (readonly Delivery[])[]): string[] => lanes.flat().map(({ key }) => key);
const usual = { order: "natural", repeat: 1, late: false, seed: 1 } as const;
const some = fc.array(fc.integer({ min: 2, max: 9 }), { maxLength: 6 });

describe("the order of deliveries", () => {
  test("each callback is delivered as often as it is said, and never twice in a row", () => {
    fc.assert(
      fc.property(
        some,
        fc.record({
          order: fc.constantFrom("natural", "shuffled"),
          repeat: fc.integer({ min: 1, max: 4 }),
          late: fc.boolean(),
          seed: fc.nat(),
        }),
        (lengths, options) => {
          const calls = callsOf(lengths);
          const lanes = arrange(calls, options);
          const expected = keys(calls).flatMap((key) => Array<string>(options.repeat).fill(key));
          expect(keys(lanes).sort()).toEqual(expected.sort());
          const sequence = options.order === "shuffled" ? [keys(lanes)] : lanes.map((lane) => keys([lane]));
          for (const list of sequence) expect(list.some((key, index) => key === list[index + 1])).toBe(false);
          expect(arrange(calls, options)).toEqual(lanes);
        },
      ),
    );
  });

  test("natural keeps each call together and in order", () => {
    const calls = callsOf([4, 8]);
    expect(arrange(calls, usual)).toEqual(calls);
    const twice = arrange(calls, { ...usual, repeat: 2 });
    expect(keys(twice)).toEqual(calls.flatMap((call) => keys([call, call])));
  });

  test("shuffled mixes the calls, another seed mixes them otherwise", () => {
    const calls = callsOf([20, 20, 20]);
    const shuffled = arrange(calls, { ...usual, order: "shuffled" });
    expect(shuffled.every((lane) => lane.length === 1)).toBe(true);
    expect(keys(shuffled)).not.toEqual(keys(calls));
    expect(keys(arrange(calls, { ...usual, order: "shuffled", seed: 2 }))).not.toEqual(keys(shuffled));
  });

  test("hundreds of thousands are no problem", () => {
    const lanes = arrange(callsOf([150_000]), { ...usual, order: "shuffled", repeat: 2 });
    expect(lanes).toHaveLength(300_000);
  });

  test("late puts some chat records after the end of their call", () => {
    const calls = callsOf([80]);
    const [lane = []] = arrange(calls, { ...usual, late: true });
    const end = lane.findIndex(({ key }) => key === "0-79");
    const late = lane.slice(end + 1);
    expect(late.length).toBeGreaterThan(2);
    expect(late.length).toBeLessThan(20);
    expect(late.every(({ event }) => event === "chat_record")).toBe(true);
    expect(keys([lane]).sort()).toEqual(keys(calls).sort());
  });
});
