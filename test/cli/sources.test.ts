import { readFileSync, writeFileSync } from "node:fs";
import Database from "libsql";
import { describe, expect, test } from "vitest";
import type { Emulator } from "../../src/emulator/index.ts";
import { parseAnyLines, parseLines, type Ran, type Workplace, workplace } from "../helpers/workplace.ts";

const AGENT = "215672";

/** A chat log as EventBridge delivers it. */
const event = (session: string, id: string, time: string) => ({
  id,
  type: "multimodal:Dialogue:ChatLogPush",
  source: "acs.multimodal",
  subject: `acs.multimodal:cn-hangzhou:123456789098:${AGENT}`,
  specversion: "1.0",
  time,
  data: {
    input: JSON.stringify({ prompt: `ask ${id}` }),
    output: JSON.stringify({ output: { text: `answer ${id}` } }),
    requestId: id,
    sessionId: session,
  },
});

const rangeOf = ({ agents: [agent = ""] }: Emulator): string[] => [
  ...["--agent", agent, "--since", "2025-07-01", "--until", "2025-08-01"],
];

/** An archive of three calls and two chat sessions; one session has the id of a call. */
const mixed = async (): Promise<{ place: Workplace; cloud: Emulator; ids: string[]; both: string }> => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 3, agents: 1 });
  const ids = [...cloud.ids()];
  const [both = ""] = ids;
  const events = [event(both, "e1", "2025-05-13T03:40:11.244Z"), event("session-2", "e2", "2025-05-14T03:40:11.244Z")];
  const input = events.map((each) => `${JSON.stringify(each)}\n`).join("");
  expect((await place.run(["pull", ...rangeOf(cloud), "-q"])).code).toBe(0);
  expect((await place.run(["import", "-q"], { input })).code).toBe(0);
  return { place, cloud, ids, both };
};

/** The ids of `list --json`, with the state where it is not `fetched`. */
const listed = async (place: Workplace, args: string[] = [], env: Record<string, string> = {}): Promise<string[]> => {
  const ran = await place.run(["list", "--json", ...args], { env });
  expect([ran.code, ran.stderr]).toEqual([0, ""]);
  return parseAnyLines<{ id: string; state: string }>(ran.stdout)
    .map(({ id, state }) => (state === "fetched" ? id : `${id} ${state}`))
    .toSorted();
};

/** Source and id of each line of an export. */
const written = (ran: Ran): string[] => {
  expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
  return parseLines<{ source: string; id: string }>(ran.stdout)
    .map(({ source, id }) => `${source} ${id}`)
    .toSorted();
};

const usageError = (words: string | RegExp) => [
  2,
  typeof words === "string" ? expect.stringContaining(words) : expect.stringMatching(words),
];

describe("--source", () => {
  test("list shows the conversations of all sources, or of some, and says which source", async () => {
    const { place, ids, both } = await mixed();
    const chats = [`chats:${both}`, "chats:session-2"].toSorted();
    expect(await listed(place)).toEqual([...ids, ...chats].toSorted());
    expect(await listed(place, ["--source", "chats"])).toEqual(chats);
    expect(await listed(place, ["--source", "calls"])).toEqual(ids.toSorted());
    for (const all of [
      ["--source", "calls", "--source", "chats"],
      ["--source", "chats,calls"],
    ])
      expect(await listed(place, all)).toHaveLength(5);
    expect(await listed(place, ["--source", "calls", "--agent", AGENT])).toEqual([]);
    expect(await listed(place, ["--source", "chats", "--until", "2025-05-14"])).toEqual([`chats:${both}`]);
    const rows = parseAnyLines((await place.run(["list", "--source", "chats", "--json"])).stdout);
    expect(rows.map(({ source }) => source)).toEqual(["chats", "chats"]);
    expect((await place.run(["list"])).stdout.match(/chats:\S+/g)?.toSorted()).toEqual(chats);
  });

  test("an unknown source is exit 2 and the known ones are named, on every command that has the flag", async () => {
    const place = workplace();
    const commands = ["export --offline", "dataset", "list", "show x", "status", "verify", "prune --older-than 1d"];
    for (const line of [...commands, "forget x"]) {
      const ran = await place.run([...line.split(" "), "--source", "chat"]);
      expect([line, ran.code, ran.stderr]).toEqual([
        line,
        ...usageError("Allowed choices are calls, chats, queries, dialogues."),
      ]);
    }
    const none = await place.run(["list", "--source", ","]);
    expect([none.code, none.stderr]).toEqual(usageError("calls, chats, queries, dialogues"));
    const byVariable = await place.run(["list"], { env: { CALLARCHIVE_SOURCE: "calls,chat" } });
    expect([byVariable.code, byVariable.stderr]).toEqual(
      usageError(/CALLARCHIVE_SOURCE.*calls, chats, queries, dialogues/),
    );
    const help = await place.run(["list", "--help"]);
    expect(help.stdout.replace(/\s+/g, " ")).toContain('(choices: "calls", "chats"');
  });

  test("export --offline and dataset write all sources, or some", async () => {
    const { place, ids, both } = await mixed();
    const calls = ids.map((id) => `calls ${id}`).toSorted();
    const chats = [`chats ${both}`, "chats session-2"].toSorted();
    const exported = async (...args: string[]) => written(await place.run(["export", "--offline", ...args]));
    expect(await exported()).toEqual([...calls, ...chats].toSorted());
    expect(await exported("--source", "chats")).toEqual(chats);
    expect(await exported("--source", "calls")).toEqual(calls);
    expect(await exported("--source", "chats", "--limit", "1")).toEqual([`chats ${both}`]);

    const manifest = await place.run(["export", "--offline", "--source", "chats", "-o", "out/"]);
    expect(manifest.code).toBe(0);
    expect(JSON.parse(place.read("out", "manifest.json")).selection).toEqual({ sources: ["chats"] });

    const inSet = async (folder: string, ...args: string[]): Promise<number> => {
      const ran = await place.run(["dataset", "-o", folder, ...args]);
      expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
      return [...place.rows(folder, "provenance.ndjson"), ...place.rows(folder, "dropped.ndjson")].length;
    };
    const total = await inSet("all");
    const [fromCalls, fromChats] = [
      await inSet("calls", "--source", "calls"),
      await inSet("chats", "--source", "chats"),
    ];
    expect([fromChats, fromCalls + fromChats]).toEqual([2, total]);
  });

  test("ids are meant of these sources: bare, qualified, ambiguous, and of another source", async () => {
    const { place, ids, both } = await mixed();
    const offline = (...args: string[]) => place.run(["export", "--offline", ...args]);
    expect(written(await offline("--source", "chats", both))).toEqual([`chats ${both}`]);
    expect(written(await offline("--source", "calls", both))).toEqual([`calls ${both}`]);
    expect(written(await offline(`chats:${both}`, `calls:${both}`, "session-2"))).toEqual(
      [`calls ${both}`, `chats ${both}`, "chats session-2"].toSorted(),
    );
    for (const ran of [await offline(both), await offline("--source", "calls,chats", both)])
      expect([ran.code, ran.stderr]).toEqual(usageError(`Write one of: calls:${both}, chats:${both}.`));
    for (const command of [["export", "--offline"], ["dataset"], ["show"], ["forget"]]) {
      const ran = await place.run([...command, "--source", "chats", `calls:${both}`]);
      expect([command, ran.code, ran.stderr]).toEqual([
        command,
        ...usageError(`calls:${both} is a conversation of calls, but only chats is selected`),
      ]);
    }
    const absent = await offline("--source", "chats", ids[1] ?? "", "-o", "absent.ndjson");
    expect([absent.code, absent.stderr]).toEqual([3, expect.stringContaining("The archive does not have it.")]);
    const set = await place.run(["dataset", "--source", "chats", both, "-o", "set", "--min-turns", "1"]);
    expect([set.code, new Set(place.rows("set", "provenance.ndjson").map(({ conversation }) => conversation))]).toEqual(
      [
        0,
        // Not the call with this id.
        new Set([`chats:${both}`]),
      ],
    );
    // Rows of list and of exports name their source, so that the same id in both is not ambiguous.
    writeFileSync(place.path("listed.ndjson"), (await place.run(["list", "--json"])).stdout);
    writeFileSync(place.path("exported.ndjson"), (await offline()).stdout);
    for (const file of ["listed.ndjson", "exported.ndjson"]) expect(written(await offline("-i", file))).toHaveLength(5);
  });

  test("show prints the conversation of the named source, also by the beginning of its id", async () => {
    const { place, both } = await mixed();
    const show = (...args: string[]) => place.run(["show", "--json", ...args]);
    const sourceOf = async (...args: string[]): Promise<string> => JSON.parse((await show(...args)).stdout).source;
    expect(await sourceOf("--source", "chats", both)).toBe("chats");
    expect(await sourceOf("--source", "calls", both)).toBe("calls");
    expect(await sourceOf(`chats:${both}`)).toBe("chats");
    expect(await sourceOf("--source", "chats", both.slice(0, 12))).toBe("chats");
    expect(await sourceOf("session-2")).toBe("chats");
    const ambiguous = await show(both);
    expect([ambiguous.code, ambiguous.stderr]).toEqual(usageError(`calls:${both}, chats:${both}`));
    const other = await show("--source", "calls", "session-2");
    expect([other.code, other.stderr]).toEqual(usageError("The archive does not have session-2"));
  });

  test("an export that fetches takes calls only, and says how to get at the others", async () => {
    const { place, cloud, ids, both } = await mixed();
    const requests = JSON.stringify(cloud.stats.requests);
    for (const [args, what] of [
      [["--source", "chats"], "--source chats"],
      [["--source", "calls,chats", both], "--source chats"],
      [["chats:session-2"], "chats:session-2"],
    ] as const) {
      const ran = await place.run(["export", ...args]);
      expect([ran.code, ran.stderr]).toEqual(
        usageError(new RegExp(`${what}: only calls .*callarchive pull chats.*callarchive import.*--offline`)),
      );
    }
    expect(JSON.stringify(cloud.stats.requests)).toBe(requests);
    expect(written(await place.run(["export", "--source", "calls", `calls:${both}`]))).toEqual([`calls ${both}`]);
    expect(written(await place.run(["export", ...ids]))).toHaveLength(3);
    // In a file of ids, such a line is left out like one without an id.
    const rows = `{"id":"${both}","source":"calls"}\n{"id":"chats:session-2","source":"chats"}\n`;
    const mixedFile = await place.run(["export", "-i", "-"], { input: rows });
    expect([mixedFile.code, parseLines(mixedFile.stdout).map(({ id }) => id)]).toEqual([3, [both]]);
    expect(mixedFile.stderr).toContain("standard input, line 2: chats:session-2: only calls");
    expect((await listed(place)).filter((id) => id.includes("session-2"))).toEqual(["chats:session-2"]);
  });

  test("status counts each source where there are others than calls, and only the named ones", async () => {
    const { place } = await mixed();
    const all = await place.run(["status"]);
    expect(all.stdout).toContain("5 fetched");
    expect(all.stdout).toMatch(/^calls {3}2025-\S+Z {2}2025-\S+Z {2}\(by agent\) {2}3 fetched$/m);
    expect(all.stdout).toMatch(/^chats {3}2025-05-13T03:40:11.244Z {2}2025-05-14T03:40:11.244Z {2}- {11}2 fetched$/m);
    const chats = await place.run(["status", "--source", "chats"]);
    expect(chats.stdout).toContain("\n2 fetched\n");
    expect(chats.stdout).not.toMatch(/^calls {3}/m);
    expect(chats.stdout).toMatch(new RegExp(`^${AGENT} +2 `, "m"));
    const { counts, sources, agents } = JSON.parse((await place.run(["status", "--json"])).stdout);
    expect(counts.fetched).toBe(5);
    expect(sources).toMatchObject([
      { source: "calls", counts: { fetched: 3 } },
      { source: "chats", counts: { fetched: 2, open: 0 }, first: "2025-05-13T03:40:11.244Z" },
    ]);
    expect(agents).toHaveLength(2);
    const own = JSON.parse((await place.run(["status", "--json", "--source", "calls"])).stdout);
    expect([own.counts.fetched, own.sources.length, own.agents.length]).toEqual([3, 1, 1]);

    const plain = workplace();
    const cloud = await plain.cloud({ calls: 2, agents: 1 });
    await plain.run(["pull", ...cloud.ids(), "-q"]);
    expect((await plain.run(["status"])).stdout).not.toContain("SOURCE");
    expect((await plain.run(["status", "--source", "chats"])).stdout).toContain("\nno conversations\n");
  });

  test("the environment and the config file restrict what is read, but not what is deleted", async () => {
    const { place, ids, both } = await mixed();
    const env = { CALLARCHIVE_SOURCE: "chats" };
    expect(await listed(place, [], env)).toHaveLength(2);
    expect(await listed(place, ["--source", "calls"], env)).toHaveLength(3);
    writeFileSync(place.path("c.yaml"), "source: [chats]\n");
    expect(await listed(place, ["--config", "c.yaml"])).toHaveLength(2);
    const exported = await place.run(["export", "--offline"], { env });
    expect(written(exported)).toHaveLength(2);
    const online = await place.run(["export", ...ids], { env });
    expect([online.code, online.stderr]).toEqual(usageError("--source chats: only calls"));
    const pruned = await place.run(["prune", "--older-than", "1d", "-n"], { env });
    expect(pruned.stderr).toContain("5 conversations that started before");
    const forgotten = await place.run(["forget", both], { env });
    expect([forgotten.code, forgotten.stderr]).toEqual(usageError("Write one of"));
    expect(await listed(place)).toHaveLength(5);
  });

  test("prune deletes old conversations of all sources, or of some", async () => {
    const { place, ids, both } = await mixed();
    const prune = (...args: string[]) => place.run(["prune", "--older-than", "1d", ...args]);
    expect((await prune("-n")).stderr).toContain("5 conversations that started before");
    expect((await prune("-n", "--source", "calls")).stderr).toContain("3 conversations");
    expect((await prune("-n", "--agent", AGENT)).stderr).toContain("2 conversations");
    const ran = await prune("--source", "chats");
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("2 conversations that started before")]);
    expect(await listed(place)).toEqual([...ids, `chats:${both} pruned`, "chats:session-2 pruned"].toSorted());
    expect(readFileSync(place.path("callarchive.db")).includes("answer e1")).toBe(false);
  });

  test("forget deletes the conversation of the named source, and leaves the one with the same id alone", async () => {
    const { place, ids, both } = await mixed();
    const out = await place.run(["export", "--offline", "--source", "calls", "-o", "calls.ndjson"]);
    expect(out.code).toBe(0);
    const dry = await place.run(["forget", "-n", "--source", "chats", both]);
    expect([dry.code, dry.stdout, dry.stderr]).toEqual([
      0,
      "",
      expect.stringMatching(new RegExp(`chats:${both}: would be deleted .*\n.*1 conversation would be forgotten`)),
    ]);
    // An ambiguous id ends the command before the others are deleted.
    const ambiguous = await place.run(["forget", "session-2", both]);
    expect([ambiguous.code, ambiguous.stderr]).toEqual(usageError(`calls:${both}, chats:${both}`));
    expect(await listed(place)).toHaveLength(5);
    const ran = await place.run(["forget", "--source", "chats", both]);
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([0, "", expect.stringContaining("1 conversation forgotten.")]);
    const rest = ["chats:session-2", `chats:${both} pruned`];
    expect(await listed(place)).toEqual([...ids, ...rest].toSorted());
    const call = await place.run(["forget", `calls:${both}`]);
    expect([call.code, call.stdout]).toEqual([0, expect.stringContaining("calls.ndjson")]);
    expect(await listed(place, ["--state", "pruned"])).toEqual([`${both} pruned`, `chats:${both} pruned`].toSorted());
    expect((await place.run(["verify"])).code).toBe(0);
  });

  test("verify reads the documents of the named sources, and compares only calls with the cloud", async () => {
    const { place, cloud } = await mixed();
    const checked = async (...args: string[]) => {
      const ran = await place.run(["verify", "--log-format", "json", "-v", ...args]);
      const events = parseAnyLines(ran.stderr);
      return [ran.code, events.find(({ event: name }) => name === "archive-checked")?.documents];
    };
    expect(await checked()).toEqual([0, 5]);
    expect(await checked("--source", "chats")).toEqual([0, 2]);
    expect(await checked("--source", "calls")).toEqual([0, 3]);

    // The chat sessions get the agent of the calls and a time in the range: the cloud does not list them all the same.
    const db = new Database(place.path("callarchive.db"));
    const { agent, started_at } = db.prepare("select agent, started_at from items where source = 'calls'").get() as {
      agent: number;
      started_at: number;
    };
    expect(agent).not.toBeNull();
    db.prepare("update items set agent = ?, started_at = ? where source = 'chats'").run(agent, started_at);
    db.close();
    const range = rangeOf(cloud);
    const remote = await place.run(["verify", "--remote", ...range]);
    expect([remote.code, remote.stdout]).toEqual([0, ""]);
    expect((await place.run(["verify", "--remote", "--source", "calls", ...range])).code).toBe(0);
    const refused = await place.run(["verify", "--remote", "--source", "chats", ...range]);
    expect([refused.code, refused.stderr]).toEqual(usageError("--remote compares calls only"));

    const damaged = new Database(place.path("callarchive.db"));
    damaged.exec("update records set sha256 = x'00' where id = 'e1'");
    damaged.close();
    const found = await place.run(["verify", "--source", "chats"]);
    expect([found.code, found.stdout]).toEqual([3, expect.stringContaining("its record e1 has changed")]);
    expect((await place.run(["verify", "--source", "calls"])).code).toBe(0);
  });
});
