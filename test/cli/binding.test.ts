import { describe, expect, test } from "vitest";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const facts = async (place: Workplace): Promise<unknown> => {
  const { region, account } = JSON.parse((await place.runHere(["status", "--json"])).stdout);
  return { region, account };
};

const setRegion = async (place: Workplace, region: string): Promise<void> => {
  const { default: Database } = await import("libsql");
  const db = new Database(place.path("callarchive.db"));
  db.prepare("update facts set value = ? where name = 'region'").run(region);
  db.close();
};

describe("an archive serves one region and one account", () => {
  test("the first answer records them; another account is refused before anything is fetched", async () => {
    const place = workplace();
    await place.cloud({ calls: 3, account: "111" });
    const none = await place.runHere(["pull", "nobody"]);
    expect([none.code, await facts(place)]).toEqual([3, {}]);
    const [id = "", second = "", third = ""] = place.emulator?.ids() ?? [];
    const first = await place.run(["pull", id, "nobody", "--error-file", "errors.ndjson"]);
    expect([first.code, await facts(place)]).toEqual([3, { region: "loopback", account: "111" }]);
    expect(place.read("errors.ndjson")).not.toContain("111");
    expect((await place.runHere(["status"])).stdout).toContain("of an emulator on this machine, account 111");

    // The same account on another port is the same place.
    await place.cloud({ calls: 3, account: "111" });
    expect((await place.runHere(["pull", second])).code).toBe(0);

    const other = await place.cloud({ calls: 3, account: "222", agents: 1 });
    const refused = await place.run(["pull", third]);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/account 111; .* account 222[\s\S]*--allow-other/),
    ]);
    const range = ["--agent", other.agents[0] ?? "", "--since", "2025-07-14", "--until", "2025-07-21"];
    expect((await place.runHere(["pull", ...range, "-n"])).code).toBe(2);
    expect((await place.runHere(["verify", "--remote", ...range])).code).toBe(2);
    expect(other.stats.requests).toEqual({ GetCallerIdentity: 3 });
    const doctor = await place.run(["doctor"]);
    expect([doctor.code, doctor.stdout]).toEqual([
      1,
      expect.stringMatching(/account +222[\s\S]*FAIL {2}archive.* 111/),
    ]);

    expect((await place.runHere(["pull", third, "--allow-other"])).code).toBe(0);
    expect(await facts(place)).toEqual({ region: "loopback", account: "111" });
  });

  test("calls of an emulator and of the cloud are not mixed, and calls of two regions are not", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1 });
    const [id = ""] = cloud.ids();
    await place.runHere(["pull", id]);
    const shanghai = ["--endpoint", "https://ice.cn-shanghai.aliyuncs.com"];
    const real = await place.run(["pull", "x", ...shanghai]);
    expect([real.code, real.stderr]).toEqual([
      2,
      expect.stringMatching(/holds calls of an emulator on this machine; .* ice\.cn-shanghai\.aliyuncs\.com/),
    ]);
    await setRegion(place, "ice.us-west-1.aliyuncs.com");
    for (const [args, here] of [
      [[], "an emulator on this machine"],
      [shanghai, "ice.cn-shanghai.aliyuncs.com"],
    ] as const) {
      const ran = await place.runHere(["pull", id, "--refresh", ...args]);
      expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(`this run uses ${here}`)]);
      expect(ran.stderr).toContain("holds calls of ice.us-west-1.aliyuncs.com");
    }
    expect(cloud.stats.requests.DescribeAIAgentInstance).toBe(1);
    // What needs no cloud needs no place.
    expect((await place.runHere(["export", "--offline"])).code).toBe(0);
  });

  test("an unknown account is not compared, and --no-archive neither requests nor records it", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 2, deny: ["GetCallerIdentity"] });
    const [id = "", second = ""] = cloud.ids();
    expect((await place.runHere(["pull", id])).code).toBe(0);
    expect(await facts(place)).toEqual({ region: "loopback" });
    expect((await place.run(["doctor"])).stdout).toMatch(/ok {4}account +not known/);
    const known = await place.cloud({ calls: 2, account: "111" });
    expect((await place.runHere(["export", id, "--no-archive"])).code).toBe(0);
    expect(known.stats.requests.GetCallerIdentity).toBeUndefined();
    expect((await place.runHere(["pull", second])).code).toBe(0);
    expect(await facts(place)).toEqual({ region: "loopback", account: "111" });
    await place.cloud({ calls: 2, deny: ["GetCallerIdentity"] });
    expect((await place.runHere(["pull", id, "--refresh"])).code).toBe(0);
  });
});
