import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseLines, summaryOf, workplace } from "../helpers/workplace.ts";

describe("a user exports calls by id", () => {
  test("from arguments, to standard output, ordered by start", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 9 });
    const [first = "", second = "", third = ""] = cloud.ids();
    const ran = await place.run(["export", third, first, second]);
    expect(ran.code).toBe(0);
    expect(parseLines(ran.stdout).map(({ id }) => id)).toEqual([first, second, third]);
    expect(ran.stderr).toContain("3 selected = 3 exported");
  });

  test("from a file, with comments, blank lines, Windows line ends and a duplicate", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 5 });
    const [first = "", second = ""] = cloud.ids();
    writeFileSync(
      place.path("ids 名单.txt"),
      `# mine\r\n${first}\r\n\r\n${second}\r\n${first}\r\n${first.toUpperCase()}\r\n`,
    );
    const ran = await place.run(["export", "-i", "ids 名单.txt", "-o", "out.ndjson", "--log-format", "json"]);
    expect(ran.code).toBe(0);
    expect(place.rows("out.ndjson").map(({ id }) => id)).toEqual([first, second]);
    expect(summaryOf(ran)).toMatchObject({ selected: 2, exported: 2 });
    expect(cloud.stats.requests.DescribeAIAgentInstance).toBe(2);
  });

  test("from standard input, as NDJSON", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 5 });
    const [first = "", second = ""] = cloud.ids();
    const input = `{"InstanceId":"${first}","note":"x"}\n{"instance_id":"${second}"}\n`;
    const ran = await place.run(["export", "-i", "-"], { input });
    expect(parseLines(ran.stdout).map(({ id }) => id)).toEqual([first, second]);
  });

  test("from a CSV with an id column among others", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 5 });
    const [first = "", second = ""] = cloud.ids();
    const input = `name,call_id,remark\n"Wang, Li",${first},"two\nlines"\n"x",${second},\n`;
    const ran = await place.run(["export", "-i", "-"], { input });
    expect(ran.stderr).toContain("2 selected = 2 exported");
    expect(parseLines(ran.stdout).map(({ id }) => id)).toEqual([first, second]);
  });

  test("an unknown id is missing, named, and exit 3; all others are delivered", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 5 });
    const ids = [...cloud.ids()];
    const ran = await place.run(["export", ...ids, "feedfacefeedfacefeedfacefeedface", "-o", "out.ndjson"]);
    expect(ran.code).toBe(3);
    expect(place.rows("out.ndjson")).toHaveLength(5);
    expect(ran.stderr).toContain("feedfacefeedfacefeedfacefeedface: missing");
    expect(ran.stderr).toContain("6 selected = 5 exported + 0 skipped + 0 open + 1 missing");
  });

  test("a call that has not ended is open, and a later run fetches it", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 4, open: 1 });
    const ids = [...cloud.ids()];
    const early = await place.runHere(["export", ...ids, "-o", "out.ndjson"]);
    expect(early.code).toBe(0);
    expect(early.stderr).toContain("1 open");
    cloud.finish(ids.at(-1) ?? "");
    const late = await place.run(["export", ...ids, "-o", "out.ndjson"]);
    expect(late.code).toBe(0);
    expect(place.rows("out.ndjson").map(({ id }) => id)).toEqual(ids);
    expect(cloud.stats.requests.download).toBe(4);
  });

  test("a second run requests nothing from the service", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 20 });
    const ids = [...cloud.ids()];
    await place.runHere(["export", ...ids, "-o", "one.ndjson"]);
    const before = { ...cloud.stats.requests };
    const again = await place.run(["export", ...ids, "-o", "two.ndjson"]);
    expect(again.code).toBe(0);
    // Whose credentials these are is another service's to say.
    expect(cloud.stats.requests).toEqual({ ...before, GetCallerIdentity: 2 });
    expect(place.read("two.ndjson")).toBe(place.read("one.ndjson"));
  });

  test("--limit, --shard and the filters exclude calls, and print how many", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 40 });
    const ids = [...cloud.ids()];
    const limited = await place.run([
      "export",
      ...ids,
      ...ids,
      "--limit",
      "7",
      "--log-format",
      "json",
      "-o",
      "limit.ndjson",
    ]);
    expect(summaryOf(limited)).toMatchObject({ selected: 7, exported: 7, limited: true });
    const together: unknown[] = [];
    for (const part of [1, 2, 3]) {
      const { stdout } = await place.runHere(["export", ...ids, "--shard", `${part}/3`, "--no-archive"]);
      together.push(...parseLines(stdout).map(({ id }) => id));
    }
    expect(together.toSorted()).toEqual(ids.toSorted());
    const long = await place.run(["export", ...ids, "--min-turns", "10", "--log-format", "json", "-o", "long.ndjson"]);
    const { exported, skipped, skippedBy } = summaryOf(long);
    expect(Number(exported) + Number(skipped)).toBe(40);
    expect(skippedBy).toEqual({ "min-turns": skipped });
    expect(place.rows<{ turns: unknown[] }>("long.ndjson").every(({ turns }) => turns.length >= 10)).toBe(true);
  });

  test("--dry-run prints what would be fetched, requests no call and leaves no files", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 6 });
    const ids = [...cloud.ids()];
    await place.runHere(["pull", ...ids.slice(0, 2)]);
    const before = { ...cloud.stats.requests };
    const ran = await place.run(["export", ...ids, "-n", "-o", "out.ndjson"]);
    expect(ran.stderr).toContain("6 calls selected: 2 known, 4 to fetch.");
    expect(cloud.stats.requests).toEqual(before);
    expect(() => place.read("out.ndjson")).toThrow();
    expect((await place.runHere(["list", "--json"])).stdout.trim().split("\n")).toHaveLength(2);
  });
});

describe("wrong selections are errors with exit 2", () => {
  test.each([
    [[], "Nothing is selected"],
    [["--since", "7d"], "A date range needs an agent"],
    [["--agent", "A"], "--agent needs --since"],
    [["--agent", "A", "--since", "yesterday"], 'Not a time: "yesterday"'],
    [["--agent", "A", "--since", "2025-02-30"], "Not a time"],
    [["--agent", "A", "--since", "2025-08-02", "--until", "2025-08-01"], "The range is empty"],
    [["x", "--since", "7d"], "not both"],
    [["--agent", "A", "--since", "9999999999d"], "Not a time"],
    [["--agent", "A", "--since", "last"], "There is no last run of agent A"],
    [["-i", "table.csv"], "needs a column named instance_id"],
    [["-i", "utf16.txt"], "is UTF-16; save it as UTF-8"],
    [["x", "-o", "callarchive.db"], "-o would write over the archive"],
    [["x", "-o", ""], "-o needs a file"],
    [["x", "--archive", "mysql://h/db"], "--archive names a file"],
    [["x", "--new"], "a stream has no memory"],
    [["x", "--max-document-size", "0"], "Write a size"],
    [["https://example.com/x"], "not an instance id"],
    [["-i", "nowhere.txt"], "Cannot read ids from nowhere.txt"],
    [["x", "-f", "xml"], 'There is no format "xml"'],
    [["x", "-f", "csv,ndjson"], "A stream takes one format"],
    [["x", "--shard", "5/4"], "Write k/n"],
    [["x", "--limit", "0"], "whole number, 1 or more"],
    [["x", "--endpoint", "http://example.com"], "must be https"],
    [["x", "--fromat", "csv"], "Did you mean --format?"],
  ])("%j", async (args, message) => {
    const place = workplace();
    writeFileSync(place.path("table.csv"), "uuid,name\nabc,def\n");
    writeFileSync(place.path("utf16.txt"), Buffer.from("\ufeffabc\n", "utf16le"));
    writeFileSync(place.path("callarchive.db"), "");
    const ran = await place.runHere(["export", ...args], {
      env: { ALIBABA_CLOUD_ACCESS_KEY_ID: "id", ALIBABA_CLOUD_ACCESS_KEY_SECRET: "secret" },
    });
    expect(ran.stderr).toContain(message);
    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe("");
  });
});
