import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openArchive } from "../../../src/archive/index.ts";
import type { MadeArchive } from "./index.ts";

/** A new archive in a SQLite file, for one test. */
export const sqliteArchive = async (): Promise<MadeArchive> => {
  const folder = mkdtempSync(join(tmpdir(), "archive-"));
  return {
    open: (now = () => new Date()) => openArchive({ place: join(folder, "a.db"), create: true, now }),
    clear: () => rmSync(folder, { recursive: true }),
  };
};
