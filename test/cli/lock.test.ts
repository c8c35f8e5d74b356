import Database from "libsql";
import { describe, expect, test } from "vitest";
import { faulty } from "../helpers/faulty.ts";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const sql = (place: Workplace, text: string): void => {
  const db = new Database(place.path("callarchive.db"));
  db.exec(text);
  db.close();
};

/** An archive that a killed run holds. */
const killed = async (): Promise<{ place: Workplace; id: string }> => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 1 });
  const [id = ""] = cloud.ids();
  await place.run(["pull", id], { env: faulty({ FAULTY_AT: "4" }) });
  return { place, id };
};

describe("the lock of a run", () => {
  test("is kept for another process namespace and for a live process; it is removed if another process has the id", async () => {
    const { place, id } = await killed();
    sql(place, "update lock set process_space = 'another boot/pid:[1]'");
    const other = await place.run(["pull", id]);
    expect([other.code, other.stderr]).toEqual([11, expect.stringContaining("callarchive archive unlock")]);
    // The process of this test lives, in the same space.
    const space = await import("node:fs").then(({ readFileSync, readlinkSync }) => {
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      return `${boot}/${readlinkSync("/proc/self/ns/pid")}`;
    });
    sql(place, `update lock set process_space = '${space}', process_started = null, pid = ${process.pid}`);
    expect((await place.run(["pull", id])).code).toBe(11);
    sql(place, "update lock set process_started = '1'");
    expect((await place.run(["pull", id])).code).toBe(0);
  });

  test("lasts one minute at most, even if its owner's clock was ahead", async () => {
    const { place, id } = await killed();
    sql(place, "update lock set host = 'elsewhere', expires_at = '2099-01-01T00:00:00.000Z'");
    const held = await place.run(["pull", id]);
    expect([held.code, held.stderr]).toEqual([11, expect.not.stringContaining("2099")]);
    expect((await place.run(["pull", id], { env: faulty({ FAKE_TIME: "61000" }) })).code).toBe(0);
  });

  test("is removed by `archive unlock`, when its holder is named", async () => {
    const { place, id } = await killed();
    sql(place, "update lock set host = 'worker two', pid = 4711");
    const shown = await place.run(["archive", "unlock"]);
    expect([shown.code, shown.stdout]).toEqual([11, ""]);
    expect(shown.stderr).toContain("process 4711 on worker two");
    expect(shown.stderr).toContain("callarchive archive unlock --archive callarchive.db --holder '4711@worker two'");
    const wrong = await place.run(["archive", "unlock", "--holder", "1@here"]);
    expect([wrong.code, wrong.stderr]).toEqual([11, expect.stringContaining("The holder is not 1@here.")]);
    expect((await place.run(["pull", id])).code).toBe(11);
    const right = await place.run(["archive", "unlock", "--holder", "4711@worker two"]);
    expect([right.code, right.stderr]).toEqual([0, expect.stringContaining("no longer holds the archive")]);
    expect((await place.run(["archive", "unlock"])).stderr).toContain("No run holds the archive");
    expect((await place.run(["pull", id])).code).toBe(0);
    expect((await place.run(["archive", "lock"])).code).toBe(2);
  });
});
