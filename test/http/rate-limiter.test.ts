import { describe, expect, it } from "vitest";
import { NotFound, Throttled, Unavailable } from "../../src/core/errors.ts";
import { createQuota } from "../../src/emulator/quota.ts";
import { createRateLimiter, type RateLimiter, rateLimited } from "../../src/http/rate-limiter.ts";
import { Clock, randomFrom } from "./clock.ts";

interface Tried {
  /** Calls per second that the service takes. @default no limit */
  quota?: number;
  /** The share of calls that it refuses whatever their rate. @default 0 */
  noise?: number;
  /** When each process starts, in seconds. @default [0] */
  starts?: number[];
  seconds: number;
  /** Of one process, at once. @default 16 */
  calls?: number;
  /** Round trip, in milliseconds. @default [20, 80] */
  trip?: [number, number];
  tps?: number;
  seed?: number;
}

/** Accepted and refused calls of each process in each second. */
const tried = async ({
  quota,
  noise = 0,
  starts = [0],
  seconds,
  calls = 16,
  trip = [20, 80],
  tps,
  seed = 1,
}: Tried) => {
  const clock = new Clock();
  const random = randomFrom(seed);
  const admit = quota === undefined ? () => true : createQuota(quota, () => new Date(clock.now()));
  const half = () => clock.sleep((trip[0] + random() * (trip[1] - trip[0])) / 2);
  const process = (start: number) => {
    const pace = createRateLimiter({ tps, now: clock.now, sleep: clock.sleep, random });
    const [accepted, refused] = [new Array<number>(seconds).fill(0), new Array<number>(seconds).fill(0)];
    const ask = async (): Promise<boolean> => {
      const sent = await pace.turn();
      await half();
      const fine = random() >= noise && admit();
      const tally = fine ? accepted : refused;
      const second = Math.floor(clock.now() / 1000);
      tally[second] = (tally[second] ?? 0) + 1;
      await half();
      if (fine) pace.ok(sent);
      else pace.throttled(sent);
      return fine;
    };
    const worker = async (): Promise<never> => {
      await clock.sleep(start * 1000);
      for (let failures = 0; ; ) {
        failures = (await ask()) ? 0 : failures + 1;
        if (failures > 0) await clock.sleep(random() * Math.min(30_000, 150 * 2 ** failures));
      }
    };
    for (let each = 0; each < calls; each++) void worker();
    return { accepted, refused };
  };
  const processes = starts.map(process);
  await clock.run(seconds * 1000);
  return processes;
};
type Processes = Awaited<ReturnType<typeof tried>>;

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
/** Calls per second of all processes together, from a second on. */
const total = (processes: Processes, kind: keyof Processes[number], from: number): number =>
  processes.reduce((sum, each) => sum + mean(each[kind].slice(from)), 0);

describe("a shared quota of 50 calls/s", () => {
  it.each([
    { seed: 1, trip: [20, 80] },
    { seed: 2, trip: [20, 80] },
    { seed: 3, trip: [1, 3] },
    { seed: 4, trip: [200, 400] },
  ] as const)("is used to within 10% by three processes after 10 s, evenly: %j", async ({ seed, trip }) => {
    const processes = await tried({ quota: 50, starts: [0, 0, 0], seconds: 30, seed, trip: [...trip] });
    expect(total(processes, "accepted", 10)).toBeGreaterThan(45);
    expect(total(processes, "accepted", 10) + total(processes, "refused", 10)).toBeLessThan(58);
    for (const each of processes) expect(mean(each.accepted.slice(10))).toBeGreaterThan((0.6 * 50) / 3);
  });

  it("is shared with processes that come later", async () => {
    const processes = await tried({ quota: 50, starts: [0, 10, 20], seconds: 60 });
    for (const each of processes) expect(mean(each.accepted.slice(40))).toBeGreaterThan((0.6 * 50) / 3);
  });

  it("is kept by one process alone, with a refusal now and then", async () => {
    const alone = await tried({ quota: 50, seconds: 30 });
    expect(total(alone, "accepted", 10)).toBeGreaterThan(47);
    expect(total(alone, "refused", 10)).toBeLessThan(2);
  });
});

describe("the rate", () => {
  it("begins at 20 calls/s, and reaches thousands within a second when nothing is refused", async () => {
    const [pace] = await tried({ seconds: 2, trip: [1, 3] });
    expect(pace?.accepted[1]).toBeGreaterThan(5000);
    const [first] = await tried({ seconds: 1, trip: [900, 900] });
    expect(first?.accepted[0]).toBeLessThan(20);
  });

  it.each([1, 7, 300])("never exceeds --tps %i, and spaces calls evenly", async (tps) => {
    const [pace] = await tried({ seconds: 10, tps });
    const most = Math.max(...(pace?.accepted.slice(1) ?? []));
    expect(most).toBeLessThanOrEqual(tps * 1.15 + 1);
    expect(mean(pace?.accepted.slice(2) ?? [])).toBeGreaterThan(tps * 0.9);
  });

  it.each([0.05, 0.1, 0.2])(
    "does not come to a standstill when %d of all calls are refused at any rate",
    async (noise) => {
      const processes = await tried({ noise, seconds: 12, trip: [1, 3] });
      expect(total(processes, "accepted", 4)).toBeGreaterThan(60);
    },
  );

  it("falls to a few calls a second when all are refused, and recovers", async () => {
    const clock = new Clock();
    const pace = createRateLimiter({ now: clock.now, sleep: clock.sleep, random: () => 0.5 });
    let down = true;
    const worker = async (): Promise<never> => {
      for (;;) {
        const sent = await pace.turn();
        await clock.sleep(10);
        if (down) pace.throttled(sent);
        else pace.ok(sent);
      }
    };
    for (let each = 0; each < 16; each++) void worker();
    await clock.run(30_000);
    expect(pace.rate()).toBeLessThan(11);
    down = false;
    await clock.run(10_000);
    expect(pace.rate()).toBeGreaterThan(50);
  });

  it("is halved once for all the calls of one congestion", async () => {
    const clock = new Clock();
    const pace = createRateLimiter({ now: clock.now, sleep: clock.sleep, random: () => 0.5 });
    const send = async (count: number) => {
      const sent = Array.from({ length: count }, () => pace.turn());
      await clock.run(1000);
      return Promise.all(sent);
    };
    for (const each of await send(16)) pace.ok(each);
    const before = pace.rate();
    const refused = await send(16);
    for (const each of refused) pace.throttled(each);
    const after = pace.rate();
    expect(after).toBeLessThan(before / 2 + 1);
    await clock.run(2000);
    const recovered = pace.rate();
    for (const each of refused) pace.throttled(each);
    expect(pace.rate()).toBe(recovered);
    expect(recovered).toBeGreaterThan(after);
  });
});

describe("a turn", () => {
  it("is given in order of request, and not to aborted calls", async () => {
    const clock = new Clock();
    const pace = createRateLimiter({ tps: 1, now: clock.now, sleep: clock.sleep });
    const order: string[] = [];
    const gaveUp = new AbortController();
    const ask = (name: string, signal?: AbortSignal) =>
      pace.turn(signal).then(
        () => order.push(name),
        (error: Error) => order.push(`${name}: ${error.message}`),
      );
    for (const name of ["a", "b"]) void ask(name);
    void ask("c", gaveUp.signal);
    void ask("d");
    await clock.run(10);
    gaveUp.abort(new Error("enough"));
    await clock.run(10_000);
    expect(order).toEqual(["a", "c: enough", "b", "d"]);
    await expect(pace.turn(gaveUp.signal)).rejects.toThrow("enough");
  });

  it("leaves no timer behind when all calls are aborted", async () => {
    const sleeping: AbortSignal[] = [];
    const never = (_: number, signal?: AbortSignal) =>
      new Promise((_, reject) => {
        if (signal) sleeping.push(signal);
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    const pace = createRateLimiter({ tps: 1, now: () => 0, sleep: never });
    await pace.turn();
    const gaveUp = new AbortController();
    const waiting = pace.turn(gaveUp.signal);
    gaveUp.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    expect(sleeping.map(({ aborted }) => aborted)).toEqual([true]);
  });
});

describe("rateLimited", () => {
  const told = async (outcome: () => Promise<unknown>): Promise<string[]> => {
    const heard: string[] = [];
    const pace: RateLimiter = {
      turn: async () => ({ at: 0, waited: false }),
      ok: () => void heard.push("ok"),
      throttled: () => void heard.push("throttled"),
      rate: () => 1,
    };
    await rateLimited(pace, undefined, outcome).catch(() => undefined);
    return heard;
  };
  const failing = (error: Error) => () => Promise.reject(error);

  it("reports an answer, a refusal, or nothing for other errors", async () => {
    expect(await told(async () => 1)).toEqual(["ok"]);
    expect(await told(failing(new NotFound("no", { code: "X" })))).toEqual(["ok"]);
    expect(await told(failing(new Throttled("slow", { code: "X" })))).toEqual(["throttled"]);
    expect(await told(failing(new Unavailable("down", { code: "X" })))).toEqual([]);
    expect(await rateLimited(undefined, undefined, async () => 2)).toBe(2);
  });
});
