import { statSync } from "node:fs";
import Database from "libsql";
import { describe, expect, test } from "vitest";
import { parseMetrics, type Sample } from "../helpers/open-metrics.ts";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const HOUR_MS = 3_600_000;

const metricsOf = (place: Workplace, name: string) => {
  const samples = parseMetrics(place.read(name));
  const of = (metric: string): Sample[] => samples.filter((sample) => sample.name === `callarchive_${metric}`);
  return { of, value: (metric: string): number | undefined => of(metric)[0]?.value };
};

describe("metrics for alerts", () => {
  test("the age of cursors and open calls, sizes and retries; a failed run keeps the time of the last success", async () => {
    const place = workplace();
    const [from, to] = [new Date(Date.now() - 6 * HOUR_MS), new Date(Date.now() - HOUR_MS)];
    const cloud = await place.cloud({ calls: 12, agents: 1, open: 1, from, to, faults: { throttle: 0.3 } });
    const [agent = ""] = cloud.agents;
    const args = [
      "export",
      "--agent",
      agent,
      "--since",
      "24h",
      "--describe",
      "always",
      "-o",
      "out/",
      "--metrics-file",
      "m.prom",
    ];
    expect((await place.run(args)).code).toBe(0);
    const first = metricsOf(place, "m.prom");
    expect(first.value("run_retries")).toBeGreaterThan(0);
    expect(first.value("run_throttles")).toBe(cloud.stats.errors["Throttling.User"]);
    expect(first.value("run_retries")).toBe(first.value("run_throttles"));
    expect(first.value("last_success_timestamp_seconds")).toBeLessThanOrEqual(
      first.value("run_end_timestamp_seconds") ?? 0,
    );
    const ended = (first.value("run_end_timestamp_seconds") ?? 0) * 1000;
    const [cursor] = first.of("cursor_age_seconds");
    expect(cursor?.labels).toEqual({ command: "export", agent });
    const { agents } = JSON.parse((await place.runHere(["status", "--json"])).stdout);
    const settled = Date.parse(agents[0].cursor);
    expect(cursor?.value).toBe((ended - settled) / 1000);
    // The last call is still open: it was listed in these hours, or in the day that they are in.
    expect(first.value("oldest_open_age_seconds")).toBeGreaterThanOrEqual((ended - to.getTime()) / 1000);
    expect(first.value("oldest_open_age_seconds")).toBeLessThanOrEqual(25 * 3600);
    expect(first.value("archive_file_bytes")).toBeGreaterThanOrEqual(first.value("archive_stored_bytes") ?? 0);
    expect(first.value("archive_file_bytes")).toBeLessThan(
      4 * statSync(place.path("callarchive.db")).size + 10_000_000,
    );
    expect(first.value("archive_raw_bytes")).toBeGreaterThan(first.value("archive_stored_bytes") ?? 0);

    // Ids of agents come from outside: one that tries to be another line, and one that tries to be another label.
    const hostile = ['x"} 1\n# EOF\ncallarchive_run_exit_code{command="export', 'back\\slash","y="\u0007\u2028'];
    const db = new Database(place.path("callarchive.db"));
    for (const id of hostile)
      db.prepare("insert into cursors (name, settled_until) values (?, ?)").run(id, from.toISOString());
    db.close();
    const env = { ALIBABA_CLOUD_ACCESS_KEY_SECRET: "wrong" };
    expect((await place.run([...args, "--refresh"], { env })).code).toBe(4);
    const second = metricsOf(place, "m.prom");
    expect(second.value("run_exit_code")).toBe(4);
    expect(second.of("run_calls")).toEqual([]);
    expect(second.value("last_success_timestamp_seconds")).toBe(first.value("last_success_timestamp_seconds"));
    const named = new Map(second.of("cursor_age_seconds").map(({ labels, value }) => [labels.agent, value]));
    expect(new Set(named.keys())).toEqual(new Set([agent, hostile[0], 'back\\slash","y="\ufffd\ufffd']));
    expect(named.get(hostile[0])).toBeCloseTo(
      (second.value("run_end_timestamp_seconds") ?? 0) - from.getTime() / 1000,
      1,
    );
  });

  test("that are known are written by a run without credentials, and by one without an archive", async () => {
    const place = workplace();
    await place.cloud({ calls: 1 });
    const env = { ALIBABA_CLOUD_ACCESS_KEY_ID: "", ALIBABA_CLOUD_ACCESS_KEY_SECRET: "" };
    const ran = await place.runHere(["pull", "someone", "--metrics-file", "m.prom"], { env });
    expect(ran.code).toBe(4);
    const figures = metricsOf(place, "m.prom");
    expect([figures.value("run_exit_code"), figures.value("run_retries")]).toEqual([4, 0]);
    expect(figures.of("last_success_timestamp_seconds")).toEqual([]);
  });
});
