import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import Database from "libsql";
import { digestOf, standInOf } from "../../src/core/stand-in.ts";
import type { CallOptions } from "../../src/emulator/directory.ts";
import type { Emulator } from "../../src/emulator/index.ts";
import { parseAnyLines, type Workplace } from "./workplace.ts";

// Archives that older versions made: see test/fixtures/archives/README.md.

const FOLDER = new URL("../fixtures/archives/", import.meta.url).pathname;
const FILE = /^version-(\d+)\.db\.gz$/;

interface MadeCloud {
  emulator: { calls: number; agents: number; seed: number };
  open: number;
  added: Record<"old" | "withoutId" | "invalid" | "failed", Omit<CallOptions, "start"> & { id: string; start: string }>;
  missing: string;
}
export const madeCloud = JSON.parse(readFileSync(`${FOLDER}cloud.json`, "utf8")) as MadeCloud;

/** The versions that there is an archive of. */
export const oldVersions: number[] = readdirSync(FOLDER)
  .flatMap((name) => FILE.exec(name)?.[1] ?? [])
  .map(Number)
  .sort((a, b) => a - b);

/** What the version exported of its archive. */
export const exportedBy = (version: number): Record<string, unknown>[] =>
  parseAnyLines(readFileSync(`${FOLDER}version-${version}/transcripts.ndjson`, "utf8"));

/** The cloud that the archives are of. @param open how many calls have not ended */
export const sameCloud = async (place: Workplace, open = madeCloud.open): Promise<Emulator> => {
  const cloud = await place.cloud({ ...madeCloud.emulator, open });
  for (const { start, ...call } of Object.values(madeCloud.added)) cloud.add({ ...call, start: new Date(start) });
  return cloud;
};

/** The links of the calls that the archive has from the emulator of that time. @param agent of the invalid call */
const linksOf = (version: number, agent: string): Set<string> => {
  const text = readFileSync(`${FOLDER}version-${version}/transcripts.ndjson`, "utf8");
  const links = new Set(text.match(/http:\/\/127\.0\.0\.1:\d+\/call-logs\/[^"?]+/g));
  // The invalid call has no transcript: its link is made as the emulator makes it.
  const { id, start } = madeCloud.added.invalid;
  const key = createHash("sha256").update(`${madeCloud.emulator.seed}:${id}`).digest("hex").slice(0, 32);
  const { origin } = new URL([...links][0] ?? "");
  return links.add(`${origin}/call-logs/${agent}/${start.slice(0, 10).replaceAll("-", "")}/${key}.json`);
};

/**
Puts the archive of a version, and the folder that it wrote, into a workplace.

Paths of destinations become those of the workplace. With a cloud, the links of its calls become those of that cloud,
because its port is another one.

@returns for the stand-in id of each link in the archive, the one that it has now
*/
export const unpack = (place: Workplace, version: number, cloud?: Emulator): Map<string, string> => {
  const file = place.path("callarchive.db");
  for (const end of ["", "-wal", "-shm"]) rmSync(file + end, { force: true });
  writeFileSync(file, gunzipSync(readFileSync(`${FOLDER}version-${version}.db.gz`)));
  if (!existsSync(place.path("parts")))
    cpSync(`${FOLDER}version-${version}/parts`, place.path("parts"), { recursive: true });
  const standIns = new Map<string, string>();
  const db = new Database(file);
  const all = <T>(sql: string): T[] => db.prepare(sql).all() as T[];
  for (const { destination, place: was } of all<{ destination: number; place: string }>("select * from destinations"))
    db.prepare("update destinations set place = ? where destination = ?").run(
      place.path(was.slice(was.lastIndexOf("/") + 1)),
      destination,
    );
  for (const link of cloud ? linksOf(version, cloud.agents[0] ?? "") : []) {
    const now = `${cloud?.url}${new URL(link).pathname}`;
    db.prepare("update items set link = ? where link = ?").run(now, link);
    db.prepare("update links set link = ? where link = ?").run(digestOf(now), digestOf(link));
    db.prepare("update items set key = ? where key = ?").run(standInOf(now), standInOf(link));
    standIns.set(standInOf(link), standInOf(now));
  }
  db.close();
  return standIns;
};

const hexOfBytes = (_: string, value: unknown): unknown =>
  value instanceof ArrayBuffer ? Buffer.from(value).toString("hex") : value;

/** Everything in an archive but its lock, and its version. Opening it mends what a killed run left. */
export const contentsOf = (file: string): Record<string, unknown> => {
  const db = new Database(file);
  try {
    const tables = db.prepare("select name from sqlite_master where type = 'table' and name <> 'lock'").all();
    const { user_version: version } = db.prepare("pragma user_version").get() as { user_version: number };
    const { integrity_check: check } = db.prepare("pragma integrity_check").get() as { integrity_check: string };
    const rows = (tables as { name: string }[]).map(({ name }) => [
      name,
      JSON.stringify(db.prepare(`select * from "${name}"`).all(), hexOfBytes),
    ]);
    return { version, check, ...Object.fromEntries(rows) };
  } finally {
    db.close();
  }
};
