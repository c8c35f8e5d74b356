import { describe, expect, test } from "vitest";
import { commands } from "../../src/cli/commands/index.ts";
import { parseLines, type Ran, type RunOptions, type Workplace, workplace } from "../helpers/workplace.ts";

const COMMANDS = commands.map(({ name }) => name);

describe("help", () => {
  test("names every command, and each command's help has examples and fits a terminal", async () => {
    const place = workplace();
    const main = await place.run(["--help"]);
    expect(main.code).toBe(0);
    // The first was written down when the program was built.
    expect(main).toEqual(await place.run(["help"]));
    expect(main).toEqual(await place.run(["-h"]));
    for (const name of COMMANDS) {
      expect(main.stdout).toContain(`  ${name} `);
      const help = await place.runHere([name, "--help"]);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain("Examples:");
      expect(help.stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
      expect((await place.runHere(["help", name])).stdout).toBe(help.stdout);
    }
  });

  test("--version is the package's", async () => {
    const { version } = await import("../../package.json", { with: { type: "json" } }).then((module) => module.default);
    const ran = await workplace().run(["--version"]);
    expect(ran).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    expect(await workplace().run(["-V"])).toEqual(ran);
  });

  test("a missing command is a usage error; for an unknown one the nearest is suggested", async () => {
    const place = workplace();
    const none = await place.run([]);
    expect([none.code, none.stdout]).toEqual([2, ""]);
    expect(none.stderr).toContain("Usage:");
    const wrong = await place.run(["exprot"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("Did you mean export?");
  });
});

/** Ends a command that serves, once it says how to. */
const interrupted: RunOptions = {
  started: (child) =>
    child.stderr?.on("data", (text: string) => {
      if (String(text).includes("Ctrl-C")) child.kill("SIGINT");
    }),
};

interface Use {
  args: (ids: string[]) => string[];
  options?: RunOptions;
  /** Exit code 0 is expected besides. */
  gives: (ran: Ran, place: Workplace) => void;
}

/** Each command at its simplest, one after another on an archive of four calls, of which one is missing. */
const SIMPLEST: Record<string, Use> = {
  pull: {
    args: (ids) => ["pull", ...ids],
    gives: ({ stdout, stderr }) => expect([stdout, stderr]).toEqual(["", expect.stringContaining("3 selected")]),
  },
  export: {
    args: ([id = ""]) => ["export", id],
    gives: ({ stdout }) => expect(parseLines(stdout)).toHaveLength(1),
  },
  import: {
    args: () => ["import"],
    options: { input: "" },
    gives: ({ stderr }) => expect(stderr).toContain("0 events = 0 added"),
  },
  reconcile: {
    args: () => ["reconcile"],
    gives: ({ stdout, stderr }) => expect([stdout, stderr]).toEqual(["", expect.stringContaining("0 gaps")]),
  },
  receive: {
    args: () => ["receive", "--port", "0"],
    options: interrupted,
    gives: ({ stdout, stderr }) => {
      expect([stdout, stderr]).toEqual(["", expect.stringContaining("Receiving events at http://127.0.0.1:")]);
      expect(stderr).toContain("0 records received");
    },
  },
  dataset: {
    args: () => ["dataset"],
    // Every call of the archive is in it, or named with the reason why not.
    gives: (_, place) =>
      expect([...place.rows("dataset", "provenance.ndjson"), ...place.rows("dataset", "dropped.ndjson")]).toHaveLength(
        4,
      ),
  },
  check: {
    args: () => ["check", "dataset"],
    gives: ({ stdout }) => expect(stdout).toContain("train.jsonl"),
  },
  list: {
    args: () => ["list"],
    gives: ({ stdout }) => expect(stdout.trimEnd().split("\n")).toHaveLength(4),
  },
  show: {
    args: ([id = ""]) => ["show", id],
    gives: ({ stdout }) => expect(stdout).toContain("(greeting)"),
  },
  status: {
    args: () => ["status"],
    gives: ({ stdout }) => expect(stdout).toMatch(/3 fetched.*1 missing/),
  },
  ack: {
    args: () => ["ack", "nobody"],
    gives: ({ stderr }) => expect(stderr).toContain("1 call acknowledged."),
  },
  verify: {
    args: () => ["verify"],
    gives: ({ stdout, stderr }) => expect([stdout, stderr]).toEqual(["", expect.stringContaining("Nothing is wrong.")]),
  },
  prune: {
    args: () => ["prune", "--older-than", "1d", "-n"],
    gives: ({ stderr }) => expect(stderr).toMatch(/3 conversations .*would be deleted/),
  },
  forget: {
    args: ([id = ""]) => ["forget", id],
    gives: ({ stderr }) => expect(stderr).toContain("1 conversation forgotten."),
  },
  archive: {
    args: () => ["archive", "unlock"],
    gives: ({ stderr }) => expect(stderr).toContain("No run holds the archive callarchive.db"),
  },
  doctor: {
    args: () => ["doctor"],
    gives: ({ stdout }) => expect(stdout).toMatch(/^(ok {4}.*\n)+$/),
  },
  emulate: {
    args: () => ["emulate"],
    options: interrupted,
    gives: ({ stdout }) => {
      expect(stdout).toMatch(/^(export \w+=.*\n){8}$/);
      expect(stdout).toMatch(
        /^export CALLARCHIVE_ENDPOINT=(http:\/\/127\.0\.0\.1:\d+)(\nexport \w+_(EVENTBRIDGE|OSS|LIVE|VOD)_ENDPOINT=\1){4}$/m,
      );
      expect(stdout).toMatch(/^export CALLARCHIVE_AGENT=\w+$/m);
    },
  },
  demo: {
    args: () => ["demo"],
    gives: (_, place) => expect(place.rows("callarchive-demo", "transcripts.ndjson")).toHaveLength(60),
  },
  config: {
    args: () => ["config", "show"],
    gives: ({ stdout }) => expect(stdout).toMatch(/max-document-size .*64MB/),
  },
  completion: {
    args: () => ["completion", "bash"],
    gives: ({ stdout }) => expect(stdout).toContain("complete "),
  },
};

/** The likeliest mistake with each command, and what is said of it; the exit code is 2. */
const MISTAKES: Record<string, { args: string[]; says: string }> = {
  export: { args: ["export"], says: "Nothing is selected. Name instance ids" },
  pull: { args: ["pull", "--agent", "a"], says: "--agent needs --since" },
  import: { args: ["import", "event.jsn"], says: "Cannot read event.jsn" },
  reconcile: { args: ["reconcile", "--since", "yesterday"], says: 'Not a time: "yesterday"' },
  receive: { args: ["receive", "--host", "0.0.0.0"], says: "--public-url is missing" },
  dataset: { args: ["dataset", "--preset", "llamafactory"], says: 'There is no preset "llamafactory". There are: ' },
  check: { args: ["check", "train.jsnl"], says: "train.jsnl does not exist." },
  list: { args: ["list", "--state", "done"], says: "Allowed choices are pending, open, fetched" },
  show: { args: ["show"], says: "missing required argument 'id'" },
  status: { args: ["status"], says: "There is no archive at" },
  ack: { args: ["ack"], says: "Nothing is selected. Name calls" },
  verify: { args: ["verify", "--archive", "elsewhere.db"], says: "There is no archive at" },
  prune: { args: ["prune"], says: "--older-than 180d" },
  forget: { args: ["forget"], says: "missing required argument 'ids'" },
  archive: { args: ["archive", "lock"], says: "Allowed choices are unlock" },
  doctor: { args: ["doctor", "--retries", "often"], says: "Write a whole number from 0 to 100." },
  emulate: { args: ["emulate", "--calls", "many"], says: "Write a whole number." },
  demo: { args: ["demo", "here"], says: "too many arguments" },
  config: { args: ["config", "show", "exprot"], says: '"exprot" is not a command that can be configured' },
  completion: { args: ["completion", "powershell"], says: "Allowed choices are bash, zsh, fish" },
};

describe("every command", () => {
  test("has its simplest use and its likeliest mistake here", () => {
    expect(Object.keys(SIMPLEST).toSorted()).toEqual(COMMANDS.toSorted());
    expect(Object.keys(MISTAKES).toSorted()).toEqual(COMMANDS.toSorted());
  });

  test("does what it is for with nothing but what it must be told", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3, agents: 1 });
    expect((await place.runHere(["pull", "nobody"])).code).toBe(3);
    for (const [name, { args, options, gives }] of Object.entries(SIMPLEST)) {
      const ran = await place.run(args([...cloud.ids()]), options);
      expect({ name, code: ran.code, stderr: ran.stderr }).toMatchObject({ name, code: 0 });
      gives(ran, place);
    }
  }, 120_000);

  test("answers its likeliest mistake with what to write instead, and prints nothing", async () => {
    const place = workplace();
    for (const [name, { args, says }] of Object.entries(MISTAKES)) {
      const ran = await place.runHere(args);
      expect({ name, ...ran }).toEqual({ name, code: 2, stdout: "", stderr: expect.stringContaining(says) });
    }
  });
});

describe("talk", () => {
  test("has no colors when it is not a terminal, or NO_COLOR is set, and has them when they are asked for", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 2 });
    const esc = String.fromCharCode(27);
    const ids = [...cloud.ids()];
    const plain = await place.run(["export", ...ids]);
    const none = await place.runHere(["export", ...ids], { env: { NO_COLOR: "1", FORCE_COLOR: "1" } });
    const always = await place.runHere(["export", ...ids, "--color", "always"]);
    expect([plain, none, always].map(({ stderr }) => stderr.includes(esc))).toEqual([false, false, true]);
    expect(always.stdout).not.toContain(esc);
  });

  test("-q prints nothing on success; JSON logs are JSON to the last line", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 2 });
    expect((await place.run(["export", ...cloud.ids(), "-q"])).stderr).toBe("");
    const json = await place.runHere(["export", ...cloud.ids(), "nobody", "-v", "--log-format", "json"]);
    const lines = parseLines(json.stderr);
    expect(lines.at(-1)).toMatchObject({ event: "summary", selected: 3, missing: 1, exitCode: 3 });
    expect(lines.every(({ ts, level, event }) => ts && level && event)).toBe(true);
  });

  test("every flag can be set in the environment, and the command line wins", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 4 });
    const env = { CALLARCHIVE_FORMAT: "csv", CALLARCHIVE_NO_ARCHIVE: "true", CALLARCHIVE_LIMIT: "1" };
    const csv = await place.run(["export", ...cloud.ids()], { env });
    expect(csv.stdout.startsWith("call_id,")).toBe(true);
    expect((await place.runHere(["status"])).code).toBe(2);
    const ndjson = await place.runHere(["export", ...cloud.ids(), "-f", "ndjson", "--limit", "3"], { env });
    expect(parseLines(ndjson.stdout)).toHaveLength(3);
    const wrong = await place.runHere(["export", "x"], { env: { CALLARCHIVE_LIMIT: "many" } });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("CALLARCHIVE_LIMIT")]);
  });
});

describe("reading the archive", () => {
  test("list, show and status print what the archive has", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 12, agents: 1 });
    const ids = [...cloud.ids()];
    await place.runHere(["pull", "--agent", cloud.agents[0] ?? "", "--since", "2025-07-14", "--until", "2025-07-21"]);
    await place.runHere(["pull", "nobody"]);
    const listed = parseLines((await place.runHere(["list", "--json"])).stdout);
    expect(listed.map(({ id }) => id).toSorted()).toEqual([...ids, "nobody"].toSorted());
    expect((await place.runHere(["list", "--state", "missing"])).stdout).toContain("nobody");
    const [id = ""] = ids;
    const raw = await place.run(["show", id, "--raw"]);
    expect(raw.stdout).toBe(Buffer.from(cloud.callLog(id) ?? []).toString());
    expect(JSON.parse((await place.runHere(["show", id.toUpperCase(), "--json"])).stdout)).toMatchObject({ id });
    expect((await place.runHere(["show", id])).stdout).toContain("(greeting)");
    expect((await place.runHere(["show", "nobody"])).code).toBe(2);
    expect((await place.runHere(["show", "else"])).stderr).toContain("The archive does not have else");
    const status = JSON.parse((await place.runHere(["status", "--json"])).stdout);
    expect(status).toMatchObject({
      counts: { fetched: 12, missing: 1 },
      agents: [{ agentId: cloud.agents[0], calls: 12 }],
    });
    expect(status.runs.map(({ exitCode }: { exitCode: number }) => exitCode)).toEqual([3, 0]);
    expect((await place.runHere(["status"])).stdout).toContain("12 fetched");
  });

  test("a missing archive is an error, and is not created", async () => {
    const place = workplace();
    for (const args of [["list"], ["status"], ["show", "x"], ["export", "--offline"]]) {
      const ran = await place.runHere(args);
      expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("There is no archive at")]);
    }
  });
});

describe("doctor", () => {
  test("reports no errors with the emulator", async () => {
    const place = workplace();
    await place.cloud({ calls: 1 });
    const ran = await place.run(["doctor"]);
    expect(ran.stdout).not.toContain("FAIL");
    expect(ran.code).toBe(0);
    for (const check of ["node", "proxy", "credentials", "endpoint", "clock", "client", "describe", "list", "archive"])
      expect(ran.stdout).toContain(`ok    ${check}`);
  });

  test("reports missing credentials, a denied action, a wrong clock, and an unreachable service", async () => {
    const place = workplace();
    const none = await place.run(["doctor"]);
    expect([none.code, none.stdout]).toEqual([4, expect.stringContaining("ALIBABA_CLOUD_ACCESS_KEY_ID")]);
    await place.cloud({ deny: ["ListAIAgentInstance"] });
    const denied = await place.runHere(["doctor"]);
    expect([denied.code, denied.stdout]).toEqual([
      4,
      expect.stringMatching(/ok {4}describe[\s\S]*FAIL {2}list[\s\S]*ice:ListAIAgentInstance/),
    ]);
    await place.cloud({ now: () => new Date(Date.now() - 7_200_000) });
    const clock = await place.runHere(["doctor"]);
    expect([clock.code, clock.stdout]).toEqual([4, expect.stringMatching(/720\d s ahead/)]);
    await place.emulator?.close();
    const nobody = await place.run(["doctor"]);
    expect([nobody.code, nobody.stdout]).toEqual([5, expect.stringContaining("FAIL  endpoint")]);
  });
});

describe("emulate and demo", () => {
  test("emulate refuses faults that it does not know", async () => {
    const ran = await workplace().run(["emulate", "--faults", "flood=0.5"]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("flood")]);
  });

  test("demo runs an export, twice in the same folder", async () => {
    const place = workplace();
    for (const _ of [1, 2]) {
      const ran = await place.run(["demo"]);
      expect(ran.stderr).toContain("60 selected = 60 exported");
      expect(ran.code).toBe(0);
      expect(place.rows("callarchive-demo", "transcripts.ndjson")).toHaveLength(60);
    }
  });
});
