import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { Archive } from "../../../src/core/archive.ts";
import type { Document, Outcome, Ref, SelectedItem, StoredConversation } from "../../../src/core/records.ts";

/** One archive, empty at first. */
export interface Place {
  /** Opens another connection to it. @param now its clock; @default the machine's */
  open(now?: () => Date): Promise<Archive>;
  /** Makes all stored documents unreadable, as a disk can. */
  damage(): Promise<void>;
  /** Another archive, empty too. */
  another(): Promise<Place>;
}

/** Throws when an archive breaks the promise. */
export type Check = (place: Place) => Promise<void>;

/** Promises of an archive, each by the sentence that states it. */
export type Clauses = Readonly<Record<string, Check>>;

export const documentOf = (text: string): Document => {
  const bytes = Buffer.from(text);
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
};

export const textOf = (record: Pick<StoredConversation, "document"> | undefined): string | undefined =>
  record?.document && Buffer.from(record.document.bytes).toString();

export const collect = async <T>(batches: AsyncIterable<T[]>): Promise<T[]> => {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
};

export const idsIn = async (batches: AsyncIterable<StoredConversation[]>): Promise<string[]> =>
  (await collect(batches)).map(({ id }) => id);

export const fetched = (item: number, text: string, more: Partial<Outcome> = {}): Outcome => ({
  item,
  state: "fetched",
  document: documentOf(text),
  ...more,
});

export const failure = (item: number, state: "open" | "missing" | "invalid" | "failed", code = "X"): Outcome => ({
  item,
  state,
  error: { code, message: `Message of ${code}` },
});

/** Selects one call. */
export const choose = async (archive: Archive, ref: Ref | string): Promise<SelectedItem> => {
  const [chosen] = await archive.select([typeof ref === "string" ? { instanceId: ref } : ref]);
  if (!chosen) throw new Error("Nothing was selected.");
  return chosen;
};

/** Selects calls by their ids. Returns their items. */
export const itemsOf = async (archive: Archive, ids: readonly string[], agentId?: string): Promise<number[]> =>
  (await archive.select(ids.map((instanceId) => ({ instanceId, ...(agentId !== undefined && { agentId }) })))).map(
    ({ item }) => item,
  );

/** Stores calls with documents, each a second after the one before. Returns their items. */
export const storeCalls = async (archive: Archive, ids: readonly string[], agentId?: string): Promise<number[]> => {
  const items = await itemsOf(archive, ids, agentId);
  await archive.commit(items.map((item, at) => fetched(item, `{"n":${at}}`, { startedAt: at2025(at) })));
  return items;
};

/** A time so many seconds after the beginning of 2025. */
export const at2025 = (seconds: number): string => new Date(Date.UTC(2025, 0, 1) + seconds * 1000).toISOString();

/** A window of an hour. */
export const windowAt = (hour: number) => ({ start: new Date(hour * 3.6e6), end: new Date((hour + 1) * 3.6e6) });

/** A clock that a test moves. */
export const clock = (start = Date.UTC(2025, 0, 1)) => {
  let time = start;
  return {
    now: (): Date => new Date(time),
    pass: (seconds: number): void => {
      time += seconds * 1000;
    },
  };
};

/** Ids that SQL, JSON, patterns, collations or files could confuse. No two of them are the same call. */
export const HOSTILE_IDS = [
  "a",
  "a'; drop table items; --",
  'a"',
  "a%",
  "a_",
  "a\\",
  "a\\u0041",
  "a\u0001b",
  "a\nb",
  "A b",
  "../a",
  "link-",
  "__proto__",
  "null",
  "0",
  "00",
  "é",
  "e\u0301",
  "ß",
  "ss",
  "长",
  "\u{1f600}",
  "\uffff",
  "z".repeat(1024),
] as const;

/** Text of a service: kept as it is, but for lone surrogates. */
export const HOSTILE_TEXT = "t\u0000\ud800\u{1f600}'\"%_\\; --\n\u2028";

/** Whether a promise is refused with this error. */
export const expectRefused = async (work: Promise<unknown>, error: object | RegExp): Promise<void> => {
  const thrown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RegExp) expect(String(thrown)).toMatch(error);
  else expect(thrown).toMatchObject(error);
};
