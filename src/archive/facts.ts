import type { Facts } from "../core/archive.ts";
import type { Db } from "./open.ts";
import { one } from "./rows.ts";

/** What is known of the archive itself. */
export const facts = (db: Db, held: () => void): Facts => ({
  fact: async (name) => one<{ value: string }>(db.prepare("select value from facts where name = ?").get(name))?.value,
  setFact: async (name, value) => {
    held();
    if (value === undefined) db.prepare("delete from facts where name = ?").run(name);
    else
      db.prepare(
        "insert into facts (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
      ).run(name, value);
  },
});
