import type { Archive, StoredRecord } from "./archive.ts";
import { InvalidDocument } from "./errors.ts";
import type { Document, Log, Put, Writer } from "./ports.ts";
import type { Transcript } from "./transcript.ts";

/** Which transcripts go out; the others are skipped and counted. */
export interface Filter {
  /** The service's word for it, case-insensitive, for example `Finished`. */
  status?: string;
  minTurns?: number;
  /** Seconds; a call of unknown duration counts as long as its last turn's begin. */
  minDuration?: number;
}

export type SkipReason = "status" | "min-turns" | "min-duration" | "new";

/** Where one format goes. */
export interface Output {
  writer: Writer;
  put: Put;
  /** Lets what was put reach its place; awaited between batches, so that memory stays bounded. */
  flush(): Promise<void>;
  /** Of these items, those that it has had before and does not want again. */
  had?: (items: readonly number[]) => Promise<ReadonlySet<number>>;
  /** Told of each batch that was written. */
  wrote?: (items: readonly number[]) => Promise<void>;
}

export interface Exported {
  exported: number;
  skipped: Partial<Record<SkipReason, number>>;
  /** Documents that could not be read as transcripts. */
  invalid: number;
}

export interface ExportOptions {
  archive: Pick<Archive, "records">;
  /** @throws InvalidDocument */
  read: (record: StoredRecord & { document: Document }) => Transcript;
  filter: Filter;
  outputs: readonly Output[];
  signal?: AbortSignal;
  log: Log;
  progress?: (exported: Exported) => void;
}

/** Writes the archive's selection through every output in one pass, ordered by start, then id. */
export const exportSelection = async (options: ExportOptions): Promise<Exported> => {
  const { archive, read, filter, outputs, signal, log, progress } = options;
  const result: Exported = { exported: 0, skipped: {}, invalid: 0 };
  for (const { writer, put } of outputs) writer.begin(put);
  for await (const batch of archive.records()) {
    signal?.throwIfAborted();
    const items = batch.map(({ item }) => item);
    const had = await Promise.all(outputs.map((output) => output.had?.(items)));
    const wrote: number[][] = outputs.map(() => []);
    for (const record of batch) {
      if (!hasDocument(record)) continue;
      const transcript = readOrUndefined(read, record, log);
      if (!transcript) {
        result.invalid += 1;
        continue;
      }
      const takers = outputs.flatMap((_, at) => (had[at]?.has(record.item) ? [] : [at]));
      const reason = skip(transcript, filter) ?? (takers.length === 0 ? "new" : undefined);
      if (reason) {
        result.skipped[reason] = (result.skipped[reason] ?? 0) + 1;
        continue;
      }
      for (const at of takers) {
        const output = outputs[at] as Output;
        output.writer.item(transcript, output.put, record);
        wrote[at]?.push(record.item);
      }
      result.exported += 1;
    }
    for (const [at, output] of outputs.entries()) {
      await output.flush();
      await output.wrote?.(wrote[at] ?? []);
    }
    progress?.(result);
  }
  for (const { writer, put, flush } of outputs) {
    writer.end(put);
    await flush();
  }
  return result;
};

const hasDocument = (record: StoredRecord): record is StoredRecord & { document: Document } =>
  record.document !== undefined;

const readOrUndefined = (
  read: ExportOptions["read"],
  record: StoredRecord & { document: Document },
  log: Log,
): Transcript | undefined => {
  try {
    return read(record);
  } catch (error) {
    if (!(error instanceof InvalidDocument)) throw error;
    log("warn", "invalid", { id: record.id, message: error.message });
    return undefined;
  }
};

const skip = (transcript: Transcript, { status, minTurns, minDuration }: Filter): SkipReason | undefined => {
  if (status && transcript.status?.toLowerCase() !== status.toLowerCase()) return "status";
  if (minTurns && transcript.turns.length < minTurns) return "min-turns";
  if (minDuration && duration(transcript) < minDuration) return "min-duration";
  return undefined;
};

const duration = ({ durationSeconds, turns }: Transcript): number =>
  durationSeconds ?? turns.reduce((longest, { begin = 0 }) => Math.max(longest, begin), 0);
