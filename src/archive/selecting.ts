import type { Ref, SelectedItem, Window } from "../core/records.ts";
import { digestOf, linkDigestOf, standIn } from "../core/stand-in.ts";
import { jsonOf } from "../core/text.ts";
import { type CurrentRow, parseCurrentRows, type Statements } from "./ledger-sql.ts";
import { type Agents, callKey, spellingOf, throwMissingItem } from "./rows.ts";

/** Adds calls to the selection and creates items for unknown calls. Needs a transaction. */
export const selecting = (statements: Statements, agents: Agents, now: () => Date) => {
  let batch = 0;

  /** The rows of these calls; undefined for unknown calls. */
  const known = (refs: readonly Ref[]): (CurrentRow | undefined)[] => {
    const ids = refs.map(({ instanceId }) => (instanceId === undefined ? null : callKey(instanceId)));
    const rows = parseCurrentRows(statements.byKeys.get(jsonOf(ids)));
    if (refs.every(({ instanceId }) => instanceId)) return rows;
    const links = refs.map((ref) => (ref.instanceId ? null : linkDigest(ref).toString("hex")));
    for (const [at, row] of parseCurrentRows(statements.byLinks.get(jsonOf(links))).entries()) rows[at] ??= row;
    return rows;
  };

  const select = (refs: readonly Ref[]): SelectedItem[] => {
    // A call with both id and link can join two later ones, so such a batch is selected one by one.
    if (refs.length > 1 && refs.some(({ instanceId, link }) => instanceId && link))
      return refs.flatMap((ref) => select([ref]));
    const rowsBefore = known(refs);
    const newRefs = new Set<Ref>();
    const names = new Set<string>();
    for (const [at, ref] of refs.entries()) {
      if (rowsBefore[at]) continue;
      const name = nameOf(ref);
      if (!names.has(name)) newRefs.add(ref);
      names.add(name);
    }
    if (newRefs.size > 0) add([...newRefs]);
    const rows = (newRefs.size > 0 ? known(refs) : rowsBefore).map((row) => row ?? throwMissingItem());
    const items = new Set(rows.map(({ item }) => item));
    const rowsOfRefs = items.size < rows.length ? onePerItem(rows) : rows;
    for (const [at, ref] of refs.entries())
      if (!newRefs.has(ref)) updateListing(rowsOfRefs[at] ?? throwMissingItem(), ref);
    const added = addSelected(items);
    // When a batch has a call twice, only the first counts as added.
    return rowsOfRefs.map((row) => toSelectedItem(row, added.delete(row.item)));
  };

  /** Adds items to the selection. Returns those that it did not have. */
  const addSelected = (items: Set<number>): Set<number> => {
    batch += 1;
    const list = JSON.stringify([...items]);
    if (statements.addSelected.run(batch, list).changes === items.size) return items;
    return new Set(JSON.parse((statements.selectedIn.get(list, batch) as { items: string }).items));
  };

  /** Updates where a known call was listed. */
  const updateListing = (row: CurrentRow, { instanceId, link, agentId, window }: Ref): void => {
    const [start, end] = [window?.start.getTime() ?? row.window_start, window?.end.getTime() ?? row.window_end];
    if ((agentId && row.agent === null) || start !== row.window_start || end !== row.window_end) {
      const agent = agentId === undefined ? null : agents.number(agentId);
      statements.updateListing.run(agent, start, end, row.item);
      row.agent ??= agent;
      row.window_start = start;
      row.window_end = end;
    }
    if (instanceId && link) statements.addLink.run(digestOf(link), row.item);
  };

  const add = (refs: readonly Ref[]): void => {
    const seenAt = now().getTime();
    const ids = new Set(refs.flatMap(({ agentId }) => agentId ?? []));
    const numbers = new Map([...ids].map((id) => [id, agents.number(id)]));
    const rows = refs.map((ref) => {
      const { instanceId, link, agentId, status, window } = ref;
      return [
        nameOf(ref),
        instanceId === undefined ? 0 : 1,
        instanceId === undefined ? null : spellingOf(instanceId),
        link ?? null,
        agentId === undefined ? null : numbers.get(agentId),
        status ?? null,
        window?.start.getTime() ?? null,
        window?.end.getTime() ?? null,
        seenAt,
      ];
    });
    statements.insert.run(jsonOf(rows));
    const links = refs.flatMap((ref, at) =>
      ref.link || ref.standIn ? [[linkDigest(ref).toString("hex"), rows[at]?.[0], ref.instanceId ? 1 : 0]] : [],
    );
    if (links.length > 0) statements.firstLinks.run(jsonOf(links));
  };

  return { known, select };
};

/** The key of a call. */
const nameOf = (ref: Ref): string =>
  ref.instanceId === undefined ? standIn(linkDigest(ref)) : callKey(ref.instanceId);

/** The digest of the link, or of the link in the stand-in id. */
const linkDigest = ({ link, standIn: id }: Ref): Buffer => (id && linkDigestOf(id)) || digestOf(link ?? "");

/** The same row object for the same item, so that an update is seen by all. */
const onePerItem = (rows: readonly CurrentRow[]): CurrentRow[] => {
  const byItem = new Map(rows.map((row) => [row.item, row]));
  return rows.map((row) => byItem.get(row.item) ?? row);
};

const toSelectedItem = (row: CurrentRow, added: boolean): SelectedItem => {
  // Key by key, without spreading: this runs for every call of every run.
  const selected: SelectedItem = {
    item: row.item,
    id: row.instance_id ?? row.key,
    state: row.state,
    added,
    seenAt: new Date(row.seen_at),
    attempts: row.attempts,
    described: row.described === 1,
  };
  if (row.named === 1) selected.instanceId = selected.id;
  if (row.acknowledged === 1) selected.acknowledged = true;
  if (row.error_code !== null) selected.code = row.error_code;
  return selected;
};

export const windowOf = ({ window_start, window_end }: { window_start: number; window_end: number }): Window => ({
  start: new Date(window_start),
  end: new Date(window_end),
});
