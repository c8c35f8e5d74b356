import { afterEach, expect, test } from "vitest";
import { createCorpus } from "../../src/emulator/corpus.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../src/emulator/index.ts";
import { describeCall } from "./signer.ts";

interface Log {
  instanceid: string;
  startTime: number;
  dialog: { id: number; begin: number; role: string; type: string; text: string }[];
}

const running: Emulator[] = [];
const start = async (options: EmulatorOptions = {}): Promise<Emulator> => {
  const emulator = await startEmulator(options);
  running.push(emulator);
  return emulator;
};
afterEach(async () => {
  for (const emulator of running.splice(0)) await emulator.close();
});

const read = (emulator: Emulator, id: string): Log =>
  JSON.parse(Buffer.from(emulator.callLog(id) ?? []).toString()) as Log;

test("the same seed gives the same bytes, another seed other ones", async () => {
  const [a, b, c] = [await start({ seed: 7 }), await start({ seed: 7 }), await start({ seed: 8 })];
  const ids = [...a.ids()];
  expect(a.url).not.toBe(b.url);
  expect([...b.ids()]).toEqual(ids);
  expect(b.agents).toEqual(a.agents);
  for (const id of ids) expect(b.callLog(id)).toEqual(a.callLog(id));
  expect([...c.ids()].some((id) => ids.includes(id))).toBe(false);
});

test("ten thousand ids are distinct hex and lead back to their calls", () => {
  const [from, to] = [new Date("2025-01-01T00:00:00Z"), new Date("2025-01-02T00:00:00Z")];
  const corpus = createCorpus({ calls: 10_000, agents: 3, seed: 1, from, to, open: 0 });
  const seen = new Set<string>();
  let index = 0;
  let last = 0;
  for (const id of corpus.ids()) {
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const call = corpus.find(id);
    expect(call?.agent).toBe(corpus.agents[index % 3]);
    expect(corpus.findByKey(call?.key ?? "")?.id).toBe(id);
    expect(call?.start).toBeGreaterThanOrEqual(last);
    last = call?.start ?? 0;
    seen.add(id);
    index++;
  }
  expect(seen.size).toBe(10_000);
  expect(last).toBeLessThan(to.getTime() / 1000);
  expect(corpus.find("0".repeat(32))).toBeUndefined();
  expect(corpus.find("../etc/passwd")).toBeUndefined();
});

test("a million calls cost nothing until they are asked for", async () => {
  const emulator = await start({ calls: 1_000_000, agents: 1 });
  const from = Date.parse("2025-07-14T00:00:00Z") / 1000;
  const id = emulator.ids().next().value ?? "";
  expect(read(emulator, id).startTime - from).toBeLessThan(1);
});

test("everything a real call may bring occurs within 500 calls", async () => {
  const emulator = await start({ calls: 500 });
  const logs = [...emulator.ids()].map((id) => read(emulator, id));
  const texts = (role: string) => logs.flatMap((log) => log.dialog.filter((turn) => turn.role === role));
  for (const { dialog } of logs) {
    expect(dialog[0]?.type).toBe("greeting");
    expect(dialog.length).toBeLessThanOrEqual(80);
    expect(dialog.map((turn) => turn.id)).toEqual(dialog.map((_, i) => i + 1));
    expect(dialog.every((turn, i) => turn.begin >= (dialog[i - 1]?.begin ?? 0))).toBe(true);
  }
  const some = (what: string, found: boolean) => expect(found, what).toBe(true);
  some(
    "a silent user",
    logs.some(({ dialog }) => dialog.length === 1),
  );
  some(
    "a long call",
    logs.some(({ dialog }) => dialog.length > 60),
  );
  some("mostly 4 to 20 turns", logs.filter(({ dialog: { length } }) => length >= 4 && length <= 20).length > 350);
  some(
    "ends on the user",
    logs.some(({ dialog }) => dialog.at(-1)?.role === "user"),
  );
  for (const role of ["user", "agent"]) {
    const twice = logs.some(({ dialog }) =>
      dialog.some((t, i) => i > 1 && t.role === role && dialog[i - 1]?.role === role),
    );
    some(`${role} twice in a row`, twice);
  }
  some(
    "barge-in",
    texts("agent").some(({ text }) => /<ims_agent_interrupted>./.test(text)),
  );
  some(
    "empty text",
    texts("user").some(({ text }) => text === ""),
  );
  some(
    "Chinese fillers",
    texts("user").some(({ text }) => /^(嗯|那个),/.test(text)),
  );
  some(
    "English fillers",
    texts("user").some(({ text }) => /^(Um|Uh), /.test(text)),
  );
  some(
    "a Chinese spoken number",
    texts("user").some(({ text }) => /幺[零幺二三四五六七八九]{10}/.test(text)),
  );
  some(
    "an English spoken number",
    texts("user").some(({ text }) => /one (three|five|eight|seven) (\w+), \w+ \w+ \w+ \w+, /.test(text)),
  );
  some(
    "long tellings",
    texts("agent").some(({ text }) => text.length > 2000),
  );
  some(
    "fractional starts",
    logs.every(({ startTime }) => !Number.isInteger(startTime)),
  );
  expect(JSON.stringify(logs)).not.toMatch(/[{][a-z]+[}]|undefined/);
});

test("the instance fits its call: phone numbers for about a third, prompt and user data for all", async () => {
  const emulator = await start({ calls: 60 });
  let phones = 0;
  for (const id of emulator.ids()) {
    const instance = (await describeCall(emulator.url, id)).body.Instance as {
      CallInfo: { CallerNumber?: string };
      AgentConfig: { Greeting: string; LlmConfig: { LlmSystemPrompt: string; HistorySyncWithTTS: boolean } };
      UserData: string;
    };
    const { dialog } = read(emulator, id);
    expect([instance.AgentConfig.Greeting, ""]).toContain(dialog[0]?.text.replace("<ims_agent_interrupted>", ""));
    expect(instance.AgentConfig.LlmConfig.LlmSystemPrompt.length).toBeGreaterThan(20);
    expect(JSON.parse(instance.UserData)).toHaveProperty("scenario");
    if (dialog.some(({ text }) => text.includes("<ims_")))
      expect(instance.AgentConfig.LlmConfig.HistorySyncWithTTS).toBe(true);
    if (instance.CallInfo.CallerNumber) phones++;
  }
  expect(phones).toBeGreaterThan(10);
  expect(phones).toBeLessThan(30);
});

test("documents can be made about as long as a benchmark wants", async () => {
  const emulator = await start({ calls: 20, documentBytes: 10_240 });
  const sizes = [...emulator.ids()].map((id) => emulator.callLog(id)?.length ?? 0);
  expect(Math.min(...sizes)).toBeGreaterThan(9_000);
  expect(sizes.reduce((sum, size) => sum + size) / sizes.length).toBeLessThan(12_500);
});

test("a call log stays the same after many others were read", async () => {
  const emulator = await start({ calls: 5000, documentBytes: 20_000 });
  const id = emulator.add({});
  const before = Buffer.from(emulator.callLog(id) ?? []);
  let count = 0;
  for (const other of emulator.ids()) if (++count <= 1000) emulator.callLog(other);
  expect(Buffer.from(emulator.callLog(id) ?? []).equals(before)).toBe(true);
});
