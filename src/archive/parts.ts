import type { RecordFacts } from "../core/records.ts";
import type { SourceName } from "../core/transcript.ts";
import type { Member } from "./block.ts";
import { jsonColumns } from "./columns.ts";
import type { Db } from "./open.ts";

/** A row of `records`. */
export interface RecordRow {
  record: number;
  item: number;
  source: SourceName;
  id: string;
  at: number | null;
  sha256: string;
  bytes: number;
  block: number | null;
}

const COLUMNS = jsonColumns<RecordRow>({
  record: "r.record",
  item: "r.item",
  source: "r.source",
  id: "r.id",
  at: "r.at",
  sha256: "lower(hex(r.sha256))",
  bytes: "r.bytes",
  block: "r.block",
});

/** The records of conversations besides call logs, without those that were set aside. */
export const recordRows = (db: Db) => {
  const any = db.prepare("select exists (select 1 from records) as has");
  // The records' own order: never that of their arrival.
  const select = db.prepare(
    `select json_group_array(json(line)) as lines from (
       select json_array(${COLUMNS.sql}) as line from json_each(?) n cross join records r on r.item = n.value
       where r.set_aside = 0 order by r.item, r.at is null, r.at, r.source, r.id limit -1)`,
  );
  /** By item. */
  return (items: readonly number[]): Map<number, RecordRow[]> => {
    const byItem = new Map<number, RecordRow[]>();
    if ((any.get() as { has: number }).has === 0) return byItem;
    const { lines } = select.get(JSON.stringify(items)) as { lines: string };
    for (const line of JSON.parse(lines) as unknown[][]) {
      const row = COLUMNS.row(line);
      const rows = byItem.get(row.item);
      if (rows) rows.push(row);
      else byItem.set(row.item, [row]);
    }
    return byItem;
  };
};

export const factsOf = ({ source, id, at, sha256, bytes }: RecordRow): RecordFacts => ({
  source,
  id,
  ...(at !== null && { at: new Date(at).toISOString() }),
  sha256,
  bytes,
});

const [OPEN, COMMA, CLOSE] = ["[", ",", "]"].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];

/** The data of records as one JSON array; undefined when a record's data cannot be read. */
export const furtherOf = (rows: readonly RecordRow[], members: ReadonlyMap<number, Member>): Uint8Array | undefined => {
  const pieces: Uint8Array[] = [OPEN];
  for (const [at, { record }] of rows.entries()) {
    const member = members.get(-record);
    if (!member) return undefined;
    if (at > 0) pieces.push(COMMA);
    pieces.push(member.document);
  }
  pieces.push(CLOSE);
  return Buffer.concat(pieces);
};
