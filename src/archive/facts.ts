import type { Facts } from "../core/archive.ts";
import type { Db } from "./open.ts";
import { firstRow } from "./rows.ts";

/** Facts about the archive itself. */
export const facts = (db: Db, assertLocked: () => void): Facts => ({
  fact: async (name) =>
    firstRow<{ value: string }>(db.prepare("select value from facts where name = ?").get(name))?.value,
  setFact: async (name, value) => {
    assertLocked();
    if (value === undefined) db.prepare("delete from facts where name = ?").run(name);
    else
      db.prepare(
        "insert into facts (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
      ).run(name, value);
  },
});
