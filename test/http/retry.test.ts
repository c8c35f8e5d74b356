import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NotFound, Throttled, Unavailable } from "../../src/core/errors.ts";
import {
  backoff,
  createRetryBudget,
  maxThrottledMs,
  type Retry,
  retryAfterMs,
  retrying,
} from "../../src/http/retry.ts";

const flaky = (failures: number, error: () => Error) => {
  let calls = 0;
  return async () => {
    if (++calls <= failures) throw error();
    return calls;
  };
};
const unavailable = () => new Unavailable("down", { code: "X" });
const now = Date.parse("2025-07-18T00:00:00Z");

describe("backoff", () => {
  it("is a random share of 300 ms, doubled per attempt, at most 30 s", () => {
    expect([0, 1, 2, 6, 7, 100].map((attempt) => backoff(attempt, () => 1))).toEqual([
      300, 600, 1200, 19_200, 30_000, 30_000,
    ]);
    expect(backoff(3, () => 0)).toBe(0);
  });
});

describe("retryAfterMs", () => {
  it.each([
    ["2", 2000],
    ["1.5", 1500],
    ["0", 0],
    ["100000", 120_000],
    ["Fri, 18 Jul 2025 00:00:30 GMT", 30_000],
    ["Thu, 17 Jul 2025 00:00:00 GMT", 0],
    ["Sat, 19 Jul 2025 00:00:00 GMT", 120_000],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("reads %j as %j", (header, expected) => {
    expect(retryAfterMs(header, now)).toBe(expected);
  });

  it("is between 0 and 120 s for any header", () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const ms = retryAfterMs(header, now);
        return ms === undefined || (ms >= 0 && ms <= 120_000);
      }),
    );
  });
});

describe("retrying", () => {
  const waits: number[] = [];
  const sleep = async (ms: number) => void waits.push(ms);

  it("repeats until it works, and reports each wait", async () => {
    waits.length = 0;
    const seen: Retry[] = [];
    const result = await retrying(flaky(3, unavailable), { sleep, random: () => 0.5, onRetry: (r) => seen.push(r) });
    expect(result).toBe(4);
    expect(waits).toEqual([150, 300, 600]);
    expect(seen.map(({ attempt, waitMs }) => [attempt, waitMs])).toEqual([
      [1, 150],
      [2, 300],
      [3, 600],
    ]);
  });

  it("waits at least as long as the service asks", async () => {
    waits.length = 0;
    const throttled = () => new Throttled("slow", { code: "Throttling", retryAfterMs: 5000 });
    await retrying(flaky(1, throttled), { sleep, random: () => 1 });
    expect(waits).toEqual([5000]);
  });

  it("gives up after the retries with the last error", async () => {
    await expect(retrying(flaky(9, unavailable), { sleep, retries: 2 })).rejects.toThrow("down");
    await expect(retrying(flaky(2, unavailable), { sleep, retries: 2 })).resolves.toBe(3);
  });

  it.each([() => new NotFound("gone", { code: "NoSuchKey" }), () => new TypeError("a bug")])(
    "does not repeat %s",
    async (error) => {
      await expect(retrying(flaky(1, error), { sleep })).rejects.toThrow(error().message);
    },
  );

  it("ends with the reason when aborted while it waits", async () => {
    const controller = new AbortController();
    const pending = retrying(
      flaky(1, unavailable),
      { random: () => 1e9, onRetry: () => controller.abort(new Error("enough")) },
      controller.signal,
    );
    await expect(pending).rejects.toThrow("enough");
    await expect(retrying(flaky(0, unavailable), {}, controller.signal)).rejects.toThrow("enough");
  });
});

describe("the retry budget of a run", () => {
  const sleep = async () => {};
  const throttled = () => new Throttled("slow", { code: "Throttling" });

  it("allows 100 retries plus one per five successes; then every error is final", async () => {
    const budget = createRetryBudget(() => 0);
    const attempts = { made: 0 };
    const broken = async () => {
      attempts.made += 1;
      throw unavailable();
    };
    for (let item = 0; item < 50; item++) await retrying(broken, { sleep, budget }).catch(() => undefined);
    expect(attempts.made).toBe(50 + 100);
    for (let item = 0; item < 50; item++) await retrying(async () => item, { budget });
    attempts.made = 0;
    for (let item = 0; item < 50; item++) await retrying(broken, { sleep, budget }).catch(() => undefined);
    expect(attempts.made).toBe(50 + 10);
  });

  it("counts an item that cannot be fetched as a success, because the service works", async () => {
    const budget = createRetryBudget(() => 0);
    const gone = () => Promise.reject(new NotFound("gone", { code: "NoSuchKey" }));
    for (let item = 0; item < 10; item++) await retrying(gone, { budget }).catch(() => undefined);
    let made = 0;
    const broken = async () => {
      made += 1;
      throw unavailable();
    };
    for (let item = 0; item < 30; item++) await retrying(broken, { sleep, budget }).catch(() => undefined);
    expect(made).toBe(30 + 102);
  });

  it("does not give up a throttled item while others succeed", async () => {
    let now = 0;
    const budget = createRetryBudget(() => now);
    const patient = retrying(flaky(500, throttled), {
      budget,
      retries: 1,
      sleep: async () => {
        now += 4000;
        await retrying(async () => 1, { budget });
      },
    });
    await expect(patient).resolves.toBe(501);
  });

  it("gives up all throttled items when none has succeeded for too long", async () => {
    let now = 0;
    const budget = createRetryBudget(() => now);
    const sleep = async () => {
      now += 10_000;
    };
    const waiting = { budget, sleep };
    let made = 0;
    const refused = async () => {
      made += 1;
      throw throttled();
    };
    await expect(retrying(refused, waiting)).rejects.toThrow("slow");
    expect([made, now]).toEqual([31, 300_000]);
    await expect(retrying(refused, waiting)).rejects.toThrow("slow");
    expect(made).toBe(32);
  });

  it("bounds throttling by the number of retries: 0 s without retries, at most 5 minutes", () => {
    expect([0, 1, 2, 3, 6, 100].map(maxThrottledMs)).toEqual([0, 5_000, 15_000, 35_000, 300_000, 300_000]);
  });

  it("still ends an item after its own retries", async () => {
    const budget = createRetryBudget(() => 0);
    await expect(retrying(flaky(3, unavailable), { sleep, budget, retries: 2 })).rejects.toThrow("down");
    await expect(retrying(flaky(2, unavailable), { sleep, budget, retries: 2 })).resolves.toBe(3);
  });
});
