import type { Reader, StoredRecord } from "../core/archive.ts";
import { expand, type Packed } from "./codec.ts";
import type { Db } from "./open.ts";
import { type ItemRow, ORDER, one, recordOf, where } from "./rows.ts";

const BATCH_ITEMS = 500;
const BATCH_BYTES = 8 * 1024 * 1024;

interface DocumentRow extends Packed {
  meta: ArrayBuffer | null;
}

/** What is stored, in batches of bounded size. */
export const reader = (db: Db): Reader => {
  const byItem = db.prepare("select * from items where item = ?");
  const byKey = db.prepare("select * from items where key = ?");
  const document = db.prepare("select codec, body, meta from documents where item = ?");

  const orWithout = (row: ItemRow): Promise<StoredRecord> => withDocument(row).catch(() => recordOf(row));

  const withDocument = async (row: ItemRow): Promise<StoredRecord> => {
    const record = recordOf(row);
    const packed = one<DocumentRow>(document.get(row.item));
    if (!packed || row.sha256 === null) return record;
    record.document = { bytes: await expand(packed), sha256: row.sha256 };
    if (packed.meta) record.meta = JSON.parse(Buffer.from(await expand({ ...packed, body: packed.meta })).toString());
    return record;
  };

  /** `sql` gives items' numbers and sizes in order: a sort never carries more than those. */
  async function* walk(
    sql: string,
    values: unknown[],
    load: ((row: ItemRow) => Promise<StoredRecord>) | undefined,
  ): AsyncGenerator<StoredRecord[]> {
    let items: number[] = [];
    let bytes = 0;
    const batch = async (): Promise<StoredRecord[]> => {
      const rows = items.flatMap((item) => one<ItemRow>(byItem.get(item)) ?? []);
      items = [];
      bytes = 0;
      return load ? Promise.all(rows.map(load)) : rows.map(recordOf);
    };
    for (const row of db.prepare(sql).iterate(...values) as IterableIterator<{ item: number; size: number | null }>) {
      items.push(row.item);
      bytes += row.size ?? 0;
      if (items.length >= BATCH_ITEMS || bytes >= BATCH_BYTES) yield await batch();
    }
    if (items.length > 0) yield await batch();
  }

  // The size of what is said about a call counts too: a system prompt can be longer than its conversation.
  const columns = "i.item, i.bytes + 4 * coalesce(length(d.meta), 0) as size";
  const chosen = "from temp.selected s join items i on i.item = s.item";
  const withSize = "left join documents d on d.item = i.item";
  return {
    records: () => walk(`select ${columns} ${chosen} ${withSize} where i.state = 'fetched' ${ORDER}`, [], withDocument),
    unsettled: () => walk(`select i.item, 0 as size ${chosen} where i.state <> 'fetched' ${ORDER}`, [], undefined),
    find: async (id) => {
      const row = one<ItemRow>(byKey.get(id.toLowerCase()));
      return row && withDocument(row);
    },
    list: (filter, { documents = false, tolerant = false } = {}) => {
      const { clause, values } = where(filter);
      const sql = documents ? `select ${columns} from items i ${withSize}` : "select i.item, 0 as size from items i";
      return walk(`${sql} ${clause}`, values, documents ? (tolerant ? orWithout : withDocument) : undefined);
    },
  };
};
