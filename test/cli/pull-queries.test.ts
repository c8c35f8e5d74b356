import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Transcript } from "../../src/core/transcript.ts";
import type { EmulatorOptions } from "../../src/emulator/index.ts";
import { type Ran, summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const JSON_LOG = ["--log-format", "json"];
const ACTION = "QueryAskLumaLog";

const pull = (place: Workplace, ...args: string[]): Promise<Ran> => place.run(["pull", "queries", ...args]);

const transcripts = async (place: Workplace): Promise<Transcript[]> => {
  const ran = await place.run(["export", "--offline", "--settle", "0", "-o", "-"]);
  expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
  return ran.stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
};

const recordIds = async (place: Workplace): Promise<unknown[]> =>
  (await transcripts(place)).flatMap(({ provenance }) => provenance.records.map(({ id }) => id)).toSorted();

/** A place with a log, and how many pages its last pull requested. */
const logged = async (options: EmulatorOptions) => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 0, ...options });
  let before = 0;
  const pages = (): number => {
    const all = cloud.stats.requests[ACTION] ?? 0;
    const since = all - before;
    before = all;
    return since;
  };
  return { place, cloud, pages, ids: () => [...cloud.queryEntries()].map((entry) => entry.MessageId).toSorted() };
};

describe("pull queries", () => {
  test.each([
    { queryOrder: "newest", queryCursor: "lastKey", later: 1 },
    { queryOrder: "newest", queryCursor: "messageId", later: 1 },
    // Then only the end of the log has what is new.
    { queryOrder: "oldest", queryCursor: "messageId", later: 10 },
  ] as const)("500 entries are 10 pages, then nothing is new: %j", async ({ later, ...options }) => {
    const { place, cloud, pages, ids } = await logged({ queries: 500, ...options });
    const first = await pull(place, ...JSON_LOG);
    expect([first.code, summaryOf(first), pages()]).toEqual([0, expect.objectContaining({ added: 500 }), 10]);
    const second = await pull(place, "--lookback", "0", ...JSON_LOG);
    expect([second.code, summaryOf(second)]).toEqual([0, expect.objectContaining({ added: 0, conflict: 0 })]);
    // The newest entries are not older than the mark, so their page is read to the next one.
    expect(pages()).toBeLessThanOrEqual(later + 1);
    cloud.addQuery({ question: "new?", createdAt: new Date() });
    const third = await pull(place, "--lookback", "0", ...JSON_LOG);
    expect([summaryOf(third).added, pages()]).toEqual([1, expect.any(Number)]);
    expect(await recordIds(place)).toEqual(ids());
  });

  test("killed on page 5: the rerun reads the whole log, and has all", async () => {
    const { place, pages, ids } = await logged({ queries: 500 });
    let seen = 0;
    const killing = workplace();
    let kill = (): unknown => undefined;
    const cloud = await killing.cloud({
      calls: 0,
      queries: 500,
      log: (line) => {
        if (line.startsWith("POST")) seen += 1;
        // The first request asks for the account.
        if (seen === 6) kill();
      },
    });
    const killed = await killing.run(["pull", "queries"], {
      started: (child) => {
        kill = () => child.kill("SIGKILL");
      },
    });
    expect(killed.code).toBe(null);
    expect(cloud.stats.requests[ACTION]).toBeLessThan(8);
    const rerun = await killing.run(["pull", "queries", ...JSON_LOG]);
    expect(rerun.code).toBe(0);
    expect(summaryOf(rerun)).toMatchObject({ added: expect.any(Number), conflict: 0 });
    expect(Number(summaryOf(rerun).added)).toBeGreaterThan(200);
    expect(await recordIds(killing)).toEqual([...cloud.queryEntries()].map((entry) => entry.MessageId).toSorted());
    await pull(place);
    expect([pages(), await transcripts(killing)]).toEqual([10, await transcripts(place)]);
    expect(ids()).toHaveLength(500);
  });

  test("pages that do not advance are an error, leave no mark, and lose nothing", async () => {
    const { place, cloud, ids } = await logged({ queries: 120 });
    cloud.faults.repeat = 1;
    const ran = await pull(place);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining("the query log do not advance")]);
    cloud.faults.repeat = 0;
    expect((await pull(place)).code).toBe(0);
    expect(await recordIds(place)).toEqual(ids());
  });

  test("entries that appear between pages are read now or in the next run", async () => {
    const { place, cloud, ids } = await logged({ queries: 200 });
    cloud.faults.shift = 1;
    expect((await pull(place)).code).toBe(0);
    cloud.faults.shift = 0;
    expect((await pull(place)).code).toBe(0);
    expect(ids().length).toBeGreaterThan(200);
    expect(await recordIds(place)).toEqual(ids());
  });

  test("an entry that is running is open, asked again, and replaced when it has its answer", async () => {
    const { place, cloud } = await logged({ queries: 150 });
    const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);
    const id = cloud.addQuery({
      question: "slow?",
      status: "RUNNING",
      createdAt: hoursAgo(40),
      conversationId: "slow",
    });
    for (let at = 0; at < 120; at += 1) cloud.addQuery({ question: `${at}?`, createdAt: hoursAgo(30 - at / 10) });
    expect((await pull(place)).code).toBe(0);
    cloud.finishQuery(id);
    // Three pages down: a run that looked only at what is new would not come to it.
    const again = await pull(place, "--lookback", "0", ...JSON_LOG);
    expect([again.code, summaryOf(again)]).toEqual([
      0,
      expect.objectContaining({ added: 0, replaced: 1, conflict: 0 }),
    ]);
    const found = (await transcripts(place)).find((each) => each.id === "slow");
    expect([found?.status, found?.turns.length]).toEqual(["SUCCEEDED", expect.any(Number)]);
    expect(found?.turns.at(-1)?.role).not.toBe("user");
  });

  test("--agent-name narrows; a log that is not activated is exit 4 and says how to activate it", async () => {
    const { place, cloud } = await logged({ queries: 60 });
    const [name] = [...cloud.queryEntries()].map((entry) => entry.AgentName);
    expect((await pull(place, "--agent-name", name ?? "")).code).toBe(0);
    expect([...new Set((await transcripts(place)).map(({ agentId }) => agentId))]).toEqual([name]);
    expect((await pull(place)).code).toBe(0);
    expect(await recordIds(place)).toHaveLength(60);
    const off = workplace();
    await off.cloud({ calls: 0, queries: 5, lumaEnabled: false });
    const ran = await pull(off);
    expect([ran.code, ran.stderr]).toEqual([4, expect.stringContaining("https://eventbridge.console.aliyun.com")]);
  });
});

describe("the transcript of a conversation", () => {
  /** As the vendor documents it: two entries of one conversation, one of each source. */
  const golden = (name: string): string =>
    readFileSync(new URL(`../fixtures/queries/${name}`, import.meta.url).pathname, "utf8");

  test("golden transcripts, rows and messages", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0 });
    for (const entry of JSON.parse(golden("entries.json")))
      cloud.addQuery({ fields: entry, messageId: entry.MessageId });
    expect((await pull(place)).code).toBe(0);
    const format = (...flags: string[]) => place.run(["export", "--offline", "-o", "-", ...flags]);
    await expect((await format()).stdout).toMatchFileSnapshot("../golden/queries.ndjson");
    await expect((await format("-f", "csv", "--rows", "turn")).stdout).toMatchFileSnapshot("../golden/queries.csv");
    expect((await place.run(["dataset", "--preset", "openai", "-o", "set/", "--split", "train=1"])).code).toBe(0);
    await expect(place.read("set", "train.jsonl")).toMatchFileSnapshot("../golden/queries.jsonl");
  });
});
