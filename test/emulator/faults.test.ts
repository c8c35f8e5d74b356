import { afterEach, expect, test } from "vitest";
import {
  type Emulator,
  type EmulatorOptions,
  type Faults,
  parseFaults,
  startEmulator,
} from "../../src/emulator/index.ts";
import { SOAK } from "../helpers/soak.ts";
import { describeCall, listCalls, signed } from "./signer.ts";

const running: Emulator[] = [];
const start = async (options: EmulatorOptions = {}): Promise<Emulator> => {
  const emulator = await startEmulator(options);
  running.push(emulator);
  return emulator;
};
afterEach(async () => {
  for (const emulator of running.splice(0)) await emulator.close();
});

const first = (emulator: Emulator): string => emulator.ids().next().value ?? "";
const ask = (emulator: Emulator) => fetch(...signed(emulator.url, { query: { InstanceId: first(emulator) } }));
const linkOf = async (emulator: Emulator): Promise<string> =>
  String((await describeCall(emulator.url, first(emulator))).body.Instance?.CallLogUrl);
const only = async (faults: Faults): Promise<Emulator> => start({ faults });
const times = async <T>(count: number, run: () => Promise<T>): Promise<T[]> => {
  const results: T[] = [];
  for (let i = 0; i < count; i++) results.push(await run());
  return results;
};

test("faults are read from a text", () => {
  expect(parseFaults("throttle=0.05, error=1,slow=0")).toEqual({ throttle: 0.05, error: 1, slow: 0 });
  expect(parseFaults("")).toEqual({});
  expect(() => parseFaults("thrott=0.1")).toThrow('Unknown fault "thrott"');
  for (const value of ["1.5", "-1", "", "x"]) expect(() => parseFaults(`cut=${value}`)).toThrow("from 0 to 1");
});

test("throttle: 400, 429 and 503, some with Retry-After", async () => {
  const emulator = await only({ throttle: 1 });
  const replies = await times(3, () => ask(emulator));
  expect(replies.map((reply) => reply.status)).toEqual([400, 429, 503]);
  expect(replies.map((reply) => reply.headers.get("retry-after"))).toEqual([null, null, "1"]);
  expect(emulator.stats.errors).toEqual({ "Throttling.User": 3 });
});

test("error: JSON, HTML and nothing at all, for calls and downloads", async () => {
  const emulator = await start();
  const link = await linkOf(emulator);
  emulator.faults = { error: 1 };
  const replies = await times(4, async () => (await ask(emulator)).text());
  expect(replies.map((text) => text.slice(0, 1))).toEqual(["{", "<", "{", ""]);
  const downloads = await times(4, async () => fetch(link));
  expect(downloads.map((reply) => reply.status)).toEqual([500, 502, 503, 502]);
  expect(await downloads[0]?.text()).toContain("<Code>InternalError</Code>");
});

test("down and reset: no answer, or half of one", async () => {
  await expect(ask(await only({ down: 1 }))).rejects.toThrow();
  const emulator = await only({ reset: 1 });
  await expect(ask(emulator)).rejects.toThrow();
  await expect(ask(emulator).then((reply) => reply.text())).rejects.toThrow();
});

test("expire: the link has expired when it is handed out", async () => {
  const response = await fetch(await linkOf(await only({ expire: 1 })));
  expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("Request has expired.")]);
});

test("cut: a download is shorter than it says", async () => {
  const emulator = await only({ cut: 1 });
  const response = await fetch(await linkOf(emulator), { headers: { "accept-encoding": "identity" } });
  expect(Number(response.headers.get("content-length"))).toBe(emulator.callLog(first(emulator))?.length);
  await expect(response.text()).rejects.toThrow();
});

test.runIf(SOAK)("slow: an answer is late, and still right", async () => {
  const emulator = await only({ slow: 1 });
  const before = performance.now();
  expect((await ask(emulator)).status).toBe(200);
  expect(performance.now() - before).toBeGreaterThan(290);
});

test("shift: a call turns up between two pages, and the last of a page is seen again", async () => {
  const emulator = await start({ calls: 30, agents: 1, faults: { shift: 1 } });
  const [AIAgentId = ""] = emulator.agents;
  const window = { AIAgentId, StartTime: "2025-07-14T00:00:00Z", EndTime: "2025-07-20T23:59:59Z", PageSize: "10" };
  const page = async (PageNumber: string) => {
    const items = (await listCalls(emulator.url, { ...window, PageNumber })).body.Instances ?? [];
    return items.map((item) => new URL(String(item.CallLogUrl)).pathname);
  };
  const [one, two] = [await page("1"), await page("2")];
  expect(two[0]).toBe(one.at(-1));
  expect([...emulator.ids()]).toHaveLength(31);
  expect(await page("1")).toHaveLength(10);
});

test("a request that is repeated succeeds in the end", async () => {
  const emulator = await only({ throttle: 0.3, error: 0.2, reset: 0.1, expire: 0.2, cut: 0.2, down: 0.1 });
  const attempt = async (): Promise<string> => {
    const link = String(
      ((await (await ask(emulator)).json()) as { Instance?: { CallLogUrl: string } }).Instance?.CallLogUrl,
    );
    const response = await fetch(link);
    return response.ok ? response.text() : Promise.reject(new Error(`${response.status}`));
  };
  const results = await times(60, () => attempt().catch(() => undefined));
  const expected = Buffer.from(emulator.callLog(first(emulator)) ?? []).toString();
  const whole = results.filter((text) => text !== undefined);
  expect(whole.length).toBeGreaterThan(0);
  expect(whole.length).toBeLessThan(60);
  expect(new Set(whole)).toEqual(new Set([expected]));
});

test("close ends connections that are still open", async () => {
  const emulator = await startEmulator({ latencyMs: 60_000 });
  const waiting = ask(emulator).then(
    () => "answered",
    () => "ended",
  );
  while (!emulator.stats.requests.DescribeAIAgentInstance) await new Promise(setImmediate);
  await emulator.close();
  expect(await waiting).toBe("ended");
  await expect(fetch(emulator.url)).rejects.toThrow();
});

test("vanish: a call of the first page is gone, and the second page begins one call too late", async () => {
  const emulator = await start({ calls: 30, agents: 1 });
  const [AIAgentId = ""] = emulator.agents;
  const window = { AIAgentId, StartTime: "2025-07-14T00:00:00Z", EndTime: "2025-07-20T23:59:59Z", PageSize: "10" };
  const page = async (PageNumber: string) => {
    const items = (await listCalls(emulator.url, { ...window, PageNumber })).body.Instances ?? [];
    return items.map((item) => new URL(String(item.CallLogUrl)).pathname);
  };
  const [one, two, three] = [await page("1"), await page("2"), await page("3")];
  emulator.faults = { vanish: 1 };
  expect(await page("2")).toEqual([...two.slice(1), three[0]]);
  emulator.faults = {};
  const left = [...(await page("1")), ...(await page("2")), ...(await page("3"))];
  expect(left).toHaveLength(29);
  expect(one.filter((path) => !left.includes(path))).toHaveLength(1);
  // Its log is still there.
  expect([...emulator.ids()]).toHaveLength(30);
});

test("cap and clip: a page holds less than was asked for, and the next goes on after it, or leaves a gap", async () => {
  expect(() => parseFaults("cap=0.5")).toThrow("a number of calls");
  const emulator = await start({ calls: 30, agents: 1 });
  const [AIAgentId = ""] = emulator.agents;
  const window = { AIAgentId, StartTime: "2025-07-14T00:00:00Z", EndTime: "2025-07-20T23:59:59Z", PageSize: "10" };
  const page = async (PageNumber: string) => {
    const items = (await listCalls(emulator.url, { ...window, PageNumber })).body.Instances ?? [];
    return items.map((item) => new URL(String(item.CallLogUrl)).pathname);
  };
  emulator.faults = {};
  const all = [...(await page("1")), ...(await page("2"))];
  emulator.faults = parseFaults("cap=4");
  expect([...(await page("1")), ...(await page("2"))]).toEqual(all.slice(0, 8));
  emulator.faults = parseFaults("clip=4");
  expect([...(await page("1")), ...(await page("2"))]).toEqual([...all.slice(0, 4), ...all.slice(10, 14)]);
});
