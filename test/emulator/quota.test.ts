import { afterEach, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/index.ts";
import { createQuota } from "../../src/emulator/quota.ts";
import { describeCall, signed } from "./signer.ts";

let emulator: Emulator | undefined;
afterEach(async () => emulator?.close());

test("a quota admits a second's worth at once, and then what time brings", () => {
  let now = 1_000_000;
  const admit = createQuota(50, () => new Date(now));
  const admitted = (tries: number): number => Array.from({ length: tries }, admit).filter(Boolean).length;
  expect(admitted(80)).toBe(50);
  now += 10;
  expect(admitted(5)).toBe(0);
  now += 10;
  expect(admitted(5)).toBe(1);
  now += 500;
  expect(admitted(80)).toBe(25);
  now += 3_600_000;
  expect(admitted(80)).toBe(50);
  now -= 10_000;
  expect(admitted(5)).toBe(0);
});

test("calls over the quota are throttled as 400, 429 and 503; downloads are not", async () => {
  const now = new Date();
  emulator = await startEmulator({ calls: 1, quota: 1, now: () => now });
  const { url } = emulator;
  const [id = ""] = emulator.ids();
  const link = String((await describeCall(url, id)).body.Instance?.CallLogUrl);
  const refused = [];
  for (let i = 0; i < 3; i++) refused.push(await fetch(...signed(url, { query: { InstanceId: id } })));
  expect(refused.map(({ status }) => status)).toEqual([400, 429, 503]);
  expect(await refused[0]?.json()).toMatchObject({ Code: "Throttling.User" });
  expect((await fetch(link)).status).toBe(200);
  expect((await fetch(link)).status).toBe(200);
});
