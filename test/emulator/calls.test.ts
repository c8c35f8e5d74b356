import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../src/emulator/index.ts";
import { describeCall, listCalls, send } from "./signer.ts";

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
const agentOf = (emulator: Emulator): string => emulator.agents[0] ?? "";
const linkOf = async (emulator: Emulator, id: string): Promise<string> =>
  String((await describeCall(emulator.url, id)).body.Instance?.CallLogUrl);
const seed = new URL("../fixtures/seed/b9566.json", import.meta.url);
const plain = { headers: { "accept-encoding": "identity" } };

describe("DescribeAIAgentInstance", () => {
  test("tells everything about a finished call", async () => {
    const emulator = await start();
    const { body } = await describeCall(emulator.url, first(emulator));
    expect(body.Instance).toMatchObject({
      Status: "Finished",
      GmtCreate: expect.stringMatching(/^2025-07-14T\d\d:\d\d:\d\d\.000\+00:00$/),
      GmtModified: expect.stringMatching(/\.000\+00:00$/),
      SessionId: expect.any(String),
      RuntimeConfig: { AuthToken: expect.stringMatching(/^AUTHTOKEN/), VoiceChat: { ChannelId: expect.any(String) } },
      AgentConfig: { TtsConfig: { VoiceId: expect.any(String) }, AsrConfig: { AsrLanguageId: expect.any(String) } },
      CallInfo: {
        CallStartTime: expect.stringMatching(/\.\d{6}\+00:00$/),
        CallEndTime: expect.stringMatching(/\.\d{6}\+00:00$/),
        CallDuration: expect.any(Number),
      },
    });
  });

  test("an id that is missing or unknown is an error", async () => {
    const { url } = await start();
    expect((await send(url, {})).body.Code).toBe("MissingInstanceId");
    const unknown = await describeCall(url, "f".repeat(32));
    expect([unknown.status, unknown.body.Code]).toEqual([404, "InvalidInstance.NotFound"]);
  });

  test("an open call has no link until it is finished", async () => {
    const emulator = await start({ calls: 10, open: 3 });
    const id = [...emulator.ids()].at(-1) ?? "";
    const open = (await describeCall(emulator.url, id)).body.Instance;
    expect(open).toMatchObject({ Status: "Executing" });
    expect(open).not.toHaveProperty("CallLogUrl");
    emulator.finish(id);
    expect((await fetch(await linkOf(emulator, id))).status).toBe(200);
    expect(() => emulator.finish("nobody")).toThrow("No such call");
  });
});

describe("ListAIAgentInstance", () => {
  test("pages through an agent's calls, newest first, with neither id nor time", async () => {
    const emulator = await start({ calls: 70, agents: 3, open: 1 });
    const AIAgentId = agentOf(emulator);
    const page = async (PageNumber: number) =>
      (await listCalls(emulator.url, { AIAgentId, PageNumber: `${PageNumber}`, PageSize: "10" })).body.Instances ?? [];
    const pages = [await page(1), await page(2), await page(3), await page(4)];
    expect(pages.map((items) => items.length)).toEqual([10, 10, 4, 0]);
    expect(pages[0]?.[0]).toMatchObject({ Status: "Executing" });
    const items = pages.flat();
    const names = ["AgentConfig", "CallLogUrl", "RuntimeConfig", "Status", "TemplateConfig", "UserData"];
    expect(Object.keys(items[1] ?? {}).sort()).toEqual(names);
    const ids = [...emulator.ids()];
    for (const id of ids) expect(JSON.stringify(items)).not.toContain(id);
    const logs = await Promise.all(items.slice(1).map(async (item) => (await fetch(String(item.CallLogUrl))).json()));
    const expected = ids.filter((_, i) => i % 3 === 0).reverse();
    expect(logs.map((log) => (log as { instanceid: string }).instanceid)).toEqual(expected.slice(1));
    expect((await listCalls(emulator.url, { AIAgentId: "nobody" })).body.Instances).toEqual([]);
  });

  test("a window includes both its ends", async () => {
    const emulator = await start({ calls: 0 });
    const AIAgentId = agentOf(emulator);
    const count = async (StartTime: string, EndTime: string) =>
      (await listCalls(emulator.url, { AIAgentId, StartTime, EndTime })).body.Instances?.length;
    emulator.add({ start: new Date("2025-07-15T12:00:00.900Z") });
    expect(await count("2025-07-15T12:00:00Z", "2025-07-15T12:00:00Z")).toBe(1);
    expect(await count("2025-07-15T12:00:01Z", "2025-07-15T12:00:09Z")).toBe(0);
    expect(await count("2025-07-15T11:00:00Z", "2025-07-15T11:59:59Z")).toBe(0);
  });

  test("windows that touch find every generated call once", async () => {
    const emulator = await start({ calls: 90, agents: 1 });
    let found = 0;
    for (let day = 14; day < 21; day++) {
      const window = { StartTime: `2025-07-${day}T00:00:00Z`, EndTime: `2025-07-${day}T23:59:59Z`, PageSize: "100" };
      found += (await listCalls(emulator.url, { AIAgentId: agentOf(emulator), ...window })).body.Instances?.length ?? 0;
    }
    expect(found).toBe(90);
  });

  test.each([
    ["PageNumber", "101"],
    ["PageNumber", "0"],
    ["PageSize", "101"],
    ["PageSize", "ten"],
    ["StartTime", "2025-07-14"],
    ["EndTime", "2025-13-14T00:00:00Z"],
  ])("%s=%s is refused", async (name, value) => {
    const emulator = await start({ calls: 1 });
    const { status, body } = await listCalls(emulator.url, { AIAgentId: agentOf(emulator), [name]: value });
    expect([status, body.Code]).toEqual([400, `InvalidParameter.${name}`]);
  });

  test("an agent is required", async () => {
    expect((await listCalls((await start()).url, {})).body.Code).toBe("MissingAIAgentId");
  });
});

describe("the object store", () => {
  test("serves the exact bytes, with length and checksums, under a name that hides the id", async () => {
    const emulator = await start();
    const id = first(emulator);
    const link = await linkOf(emulator, id);
    expect(link).not.toContain(id);
    expect(link).toContain("Signature=SIGNATURE");
    const response = await fetch(link, plain);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes).toEqual(Buffer.from(emulator.callLog(id) ?? []));
    const md5 = createHash("md5").update(bytes).digest();
    expect(response.headers.get("etag")).toBe(`"${md5.toString("hex").toUpperCase()}"`);
    expect(response.headers.get("content-md5")).toBe(md5.toString("base64"));
    expect(response.headers.get("content-length")).toBe(String(bytes.length));
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("last-modified")).toMatch(/GMT$/);
    expect(emulator.stats.requests).toEqual({ DescribeAIAgentInstance: 1, download: 1 });
  });

  test("compresses some documents when asked to", async () => {
    const emulator = await start({ calls: 30 });
    const encodings = new Set<string | null>();
    for (const id of emulator.ids()) {
      const response = await fetch(await linkOf(emulator, id), { headers: { "accept-encoding": "gzip" } });
      encodings.add(response.headers.get("content-encoding"));
      expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(emulator.callLog(id) ?? []));
    }
    expect(encodings).toEqual(new Set([null, "gzip"]));
  });

  test("answers in XML when a link expired, was tampered with, or leads nowhere", async () => {
    let time = new Date("2030-01-01T00:00:00Z");
    const emulator = await start({ now: () => time, linkTtlSeconds: 60 });
    const id = first(emulator);
    const query = { InstanceId: id };
    const link = String((await send(emulator.url, { query, date: "2030-01-01T00:00:00Z" })).body.Instance?.CallLogUrl);
    const answer = async (url: string) => {
      const response = await fetch(url);
      const code = /<Code>(.*)<\/Code><Message>(.*)<\/Message><RequestId>.+<\/RequestId>/.exec(await response.text());
      return [response.status, code?.[1], code?.[2]];
    };
    expect((await answer(`${link}x`)).slice(0, 2)).toEqual([403, "SignatureDoesNotMatch"]);
    expect((await answer(link.replace(/Expires=\d+/, "Expires=9999999999")))[1]).toBe("SignatureDoesNotMatch");
    expect((await answer(link.replace(".json", "0.json")))[1]).toBe("NoSuchKey");
    expect((await answer(`${emulator.url}/elsewhere`))[0]).toBe(404);
    time = new Date("2030-01-01T00:01:00Z");
    expect(await answer(link)).toEqual([403, "AccessDenied", "Request has expired."]);
  });
});

describe("calls made by hand", () => {
  test("a body is served as it is, with its headers, and the instance is merged", async () => {
    const emulator = await start({ calls: 0 });
    const body = gzipSync("not { json");
    const id = emulator.add({
      id: "Odd/Id",
      body,
      headers: { "content-encoding": "gzip" },
      instance: { UserData: "mine" },
    });
    expect(id).toBe("Odd/Id");
    expect((await describeCall(emulator.url, id)).body.Instance).toMatchObject({ UserData: "mine" });
    expect(await (await fetch(await linkOf(emulator, id))).text()).toBe("not { json");
    expect([...emulator.ids()]).toEqual([id]);
  });

  test("a link can lead anywhere, a status can be anything, and the rest is generated", async () => {
    const emulator = await start({ calls: 3, agents: 2 });
    const [agent = ""] = emulator.agents;
    const id = emulator.add({ link: "http://example.invalid/x?Signature=SIGNATUREx" });
    expect(await linkOf(emulator, id)).toBe("http://example.invalid/x?Signature=SIGNATUREx");
    const created = emulator.add({ agent, status: "Created" });
    expect((await describeCall(emulator.url, created)).body.Instance).not.toHaveProperty("CallLogUrl");
    emulator.finish(created);
    const log = (await (await fetch(await linkOf(emulator, created))).json()) as { instanceid: string };
    expect(log.instanceid).toBe(created);
    expect((await listCalls(emulator.url, { AIAgentId: agent })).body.Instances).toHaveLength(4);
  });

  test("a folder of call logs is served byte for byte, JSON or not", async () => {
    const folder = mkdtempSync(join(tmpdir(), "emulator-"));
    try {
      writeFileSync(join(folder, "a.json"), readFileSync(seed));
      writeFileSync(join(folder, "broken.json"), "{");
      writeFileSync(join(folder, "notes.txt"), "no call");
      const emulator = await start({ calls: 2, data: folder });
      const known = "b9566********************3c5eb2";
      expect([...emulator.ids()].slice(2)).toEqual([known, "broken"]);
      expect((await describeCall(emulator.url, known)).body.Instance).toMatchObject({
        GmtCreate: "2025-08-14T02:21:12.000+00:00",
        Status: "Finished",
        AgentConfig: { Greeting: "Hello. I am Xiaoyun from Alibaba Video Cloud. Let's chat." },
      });
      expect(await (await fetch(await linkOf(emulator, known))).text()).toBe(readFileSync(seed, "utf8"));
      expect(await (await fetch(await linkOf(emulator, "broken"))).text()).toBe("{");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("each request is one line in the log, without its query", async () => {
  const lines: string[] = [];
  const emulator = await start({ log: (line) => lines.push(line) });
  await (await fetch(await linkOf(emulator, first(emulator)))).arrayBuffer();
  await emulator.close();
  expect(lines).toHaveLength(2);
  expect(lines[0]).toBe("POST / 200");
  expect(lines[1]).toMatch(/^GET \/call-logs\/\w+\/20250714\/\w+\.json 200$/);
});
