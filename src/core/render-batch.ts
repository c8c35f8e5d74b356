import { qualifiedId } from "./conversation-id.ts";
import type { Delivered } from "./deliveries.ts";
import type { Chunk, LongText, Note, PutOptions, Writer } from "./ports.ts";
import {
  type ConversationWithDocument,
  hasDocument,
  type PrepareReading,
  type ReadConversation,
  readOrReason,
  reasonOf,
} from "./reading.ts";
import type { StoredConversation } from "./records.ts";
import { withRevision } from "./revision.ts";
import type { Transcript } from "./transcript.ts";

/** Which transcripts are exported; the others are skipped and counted. */
export interface Filter {
  /** The service's status, case-insensitive, for example `Finished`. */
  status?: string;
  minTurns?: number;
  /** Seconds. If the duration is unknown, the begin of the last turn counts. */
  minDuration?: number;
}

export type SkipReason = "status" | "min-turns" | "min-duration" | "new";

type CountsByName = Record<string, number>;

/** For one output: what it received before, by item; undefined when it does not matter. */
export type DeliveredItems = ReadonlyMap<number, Delivered> | undefined;

/** How records are rendered, on this thread or another. */
export interface RenderOptions {
  read: ReadConversation;
  /** Awaited with the records of a batch before they are rendered. */
  prepare?: PrepareReading;
  /** The digest of a record's transcript, without redaction. @throws InvalidDocument */
  digestOf: (record: StoredConversation) => string;
  filter: Filter;
  /** One for each output. */
  writers: readonly Writer[];
}

/** Counts of fine-tuning samples. */
export interface SampleCounts {
  samples: number;
  /** Calls without a sample, by reason. */
  dropped: CountsByName;
  /** Samples that differ from their transcript, by change; one sample can have several changes. */
  changed: CountsByName;
}

/** The counts of an export. */
export interface ExportCounts {
  exported: number;
  /** Of the exported: those that a destination received again, because they had changed. */
  revised: number;
  skipped: Partial<Record<SkipReason, number>>;
  /** Documents that could not be read as transcripts, and transcripts that a format could not write. */
  invalid: number;
  redacted: CountsByName;
  samples: SampleCounts;
}

export interface Piece extends PutOptions {
  data: Chunk | LongText;
}

export const isLong = (data: Chunk | LongText): data is LongText => typeof data === "object" && "pieces" in data;

/** A batch of records, ready to be put. */
export interface RenderedBatch extends ExportCounts {
  /** In the order of the writers: the pieces, and the items in them. */
  outputs: { pieces: Piece[]; items: number[] }[];
  /** Records that could not be read, or that one output could not write: then `output` is its index. */
  failures: { id: string; message: string; output?: number }[];
}

export const noCounts = (): ExportCounts => ({
  exported: 0,
  revised: 0,
  skipped: {},
  invalid: 0,
  redacted: {},
  samples: { samples: 0, dropped: {}, changed: {} },
});

/** Adds the counts of a batch to those of a run. */
export const addCounts = (sum: ExportCounts, part: ExportCounts): void => {
  sum.exported += part.exported;
  sum.revised += part.revised;
  sum.invalid += part.invalid;
  sum.samples.samples += part.samples.samples;
  addAll(sum.skipped, part.skipped);
  addAll(sum.redacted, part.redacted);
  addAll(sum.samples.dropped, part.samples.dropped);
  addAll(sum.samples.changed, part.samples.changed);
};

const addAll = (sum: Partial<CountsByName>, part: Partial<CountsByName>): void => {
  for (const [name, n = 0] of Object.entries(part)) sum[name] = (sum[name] ?? 0) + n;
};

const add = (sum: Partial<CountsByName>, name: string): void => {
  sum[name] = (sum[name] ?? 0) + 1;
};

/** Renders records for all outputs. @param delivered for each output, the items that it received before */
export const renderBatch = (
  records: readonly StoredConversation[],
  delivered: readonly DeliveredItems[],
  { read, digestOf, filter, writers }: RenderOptions,
): RenderedBatch => {
  const rendered: RenderedBatch = {
    ...noCounts(),
    outputs: writers.map(() => ({ pieces: [], items: [] })),
    failures: [],
  };
  for (const record of records) {
    if (!hasDocument(record)) continue;
    const result = readOrReason(read, record);
    if ("unreadable" in result) {
      rendered.invalid += 1;
      rendered.failures.push({ id: qualifiedId(record), message: result.unreadable });
      continue;
    }
    const { transcript, counts } = result;
    if (counts) addAll(rendered.redacted, counts);
    const receiving = writers.flatMap((_, at) => {
      const before = delivered[at]?.get(record.item);
      if (before === undefined) return [{ at, transcript }];
      const { changed } = before;
      if (changed === undefined || changed.before === digestOf(record)) return [];
      return [{ at, transcript: withRevision(transcript, changed.number) }];
    });
    const reason = skipReason(transcript, filter) ?? (receiving.length === 0 ? "new" : undefined);
    if (reason) {
      add(rendered.skipped, reason);
      continue;
    }
    const failures = receiving.flatMap(({ at, transcript: received }) => {
      const message = writeOrReason(rendered, at, writers[at] as Writer, received, record);
      return message === undefined ? [] : [{ id: qualifiedId(record), message, output: at }];
    });
    rendered.failures.push(...failures);
    if (failures.length > 0) rendered.invalid += 1;
    else {
      rendered.exported += 1;
      if (receiving.some(({ transcript: received }) => received.revision !== undefined)) rendered.revised += 1;
    }
  }
  return rendered;
};

/** Adds all pieces of a transcript to an output; on failure adds nothing and returns the reason. */
const writeOrReason = (
  rendered: RenderedBatch,
  at: number,
  writer: Writer,
  transcript: Transcript,
  record: ConversationWithDocument,
): string | undefined => {
  const { pieces, items } = rendered.outputs[at] as RenderedBatch["outputs"][number];
  const ownPieces: Piece[] = [];
  let note: Note | undefined;
  try {
    note = writer.item(transcript, (data, options) => void ownPieces.push({ data, ...options }), record);
  } catch (error) {
    return reasonOf(error);
  }
  if (writer.between !== undefined && items.length > 0) pieces.push({ data: writer.between });
  for (const piece of ownPieces) pieces.push(piece);
  if (note) countNote(rendered.samples, note);
  items.push(record.item);
  return undefined;
};

const countNote = (samples: SampleCounts, note: Note): void => {
  if (note.dropped !== undefined) {
    add(samples.dropped, note.dropped);
    return;
  }
  samples.samples += 1;
  for (const change of note.changes) add(samples.changed, change);
};

const skipReason = (transcript: Transcript, { status, minTurns, minDuration }: Filter): SkipReason | undefined => {
  if (status && transcript.status?.toLowerCase() !== status.toLowerCase()) return "status";
  if (minTurns && transcript.turns.length < minTurns) return "min-turns";
  if (minDuration && duration(transcript) < minDuration) return "min-duration";
  return undefined;
};

const duration = ({ durationSeconds, turns }: Transcript): number =>
  durationSeconds ?? turns.reduce((longest, { begin = 0 }) => Math.max(longest, begin), 0);
