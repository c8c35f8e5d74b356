import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { openArchive } from "../../../src/archive/index.ts";
import type { SessionOf } from "../../../src/core/records.ts";
import type { JsonObject } from "../../../src/core/transcript.ts";
import type { MadeArchive } from "./index.ts";

/** A folder in memory where there is one: without waiting for the disk, tests take a third of the time. */
const fastFolder = (): string => {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
};

/** The session of a call, as the clauses about dialogues write it. */
const sessionOf: SessionOf = ({ SessionId: sessionId, Start: start, End: end }) =>
  typeof sessionId === "string" && typeof start === "string" && typeof end === "string"
    ? { sessionId, start: new Date(start), end: new Date(end) }
    : undefined;

/** The channel of a call, as the clauses about files write it. */
const channelOf = ({ Channel: channel }: JsonObject): string | undefined =>
  typeof channel === "string" ? channel : undefined;

/** A new archive in a SQLite file, for one test. */
export const sqliteArchive = async (): Promise<MadeArchive> => {
  const folder = mkdtempSync(join(fastFolder(), "archive-"));
  return {
    open: (now = () => new Date()) =>
      openArchive({ place: join(folder, "a.db"), create: true, now, sessionOf, channelOf }),
    damage: async () => {
      const db = new Database(join(folder, "a.db"));
      db.exec("update blocks set body = x'00'");
      db.close();
    },
    clear: () => rmSync(folder, { recursive: true }),
  };
};
