import type { Archive } from "./archive.ts";
import type { Delivered } from "./deliveries.ts";
import { inOrder } from "./flow/ordered.ts";
import type { Chunk, Log, Put, PutOptions, Writer } from "./ports.ts";
import type { RawConversation } from "./raw-conversation.ts";
import {
  addCounts,
  type DeliveredItems,
  type ExportCounts,
  isLong,
  noCounts,
  type Piece,
  type RenderedBatch,
} from "./render-batch.ts";

/** Documents in rendering at one time, in bytes. One batch may be a single large document. */
const RENDERING_BYTES = 16 * 1024 * 1024;

/** Output between two flushes, in characters or bytes: a batch may produce gigabytes. */
const UNFLUSHED_SIZE = 1024 * 1024;

/** Where one format goes. */
export interface Output {
  /** The format's name, for messages. */
  format: string;
  /** Writes the beginning and the end of the file; the items between them come rendered. */
  writer: Writer;
  put: Put;
  /** Writes what was put. Awaited between batches and inside large ones, so that memory stays bounded. */
  flush(): Promise<void>;
  /** What this output received before of these items: it is written again only as a revision. */
  alreadyDelivered?: (items: readonly number[]) => Promise<ReadonlyMap<number, Delivered>>;
  /** Called after each batch was written. */
  onWritten?: (items: readonly number[]) => Promise<void>;
}

/** Turns records into the pieces of every output, on this thread or another. */
export interface Renderer {
  /** @param delivered for each output, the items that it received before */
  render(records: readonly RawConversation[], delivered: readonly DeliveredItems[]): Promise<RenderedBatch>;
  /** How many batches may be in rendering before the first is finished. */
  ahead: number;
}

export interface ExportOptions {
  archive: Pick<Archive, "rawConversations">;
  renderer: Renderer;
  /** In the order of the renderer's writers. */
  outputs: readonly Output[];
  signal?: AbortSignal;
  log: Log;
  progress?: (exported: ExportCounts) => void;
}

/** Writes the archive's selection through every output in one pass, ordered by start, then id. */
export const exportSelection = async (options: ExportOptions): Promise<ExportCounts> => {
  const { archive, renderer, outputs, signal, log, progress } = options;
  const result = noCounts();
  const written = outputs.map(() => 0);
  for (const { writer, put } of outputs) writer.begin(put);
  const rendered = inOrder(
    archive.rawConversations(),
    { ahead: renderer.ahead, maxSize: RENDERING_BYTES, sizeOf },
    async (records) => {
      const items = records.map(({ record }) => record.item);
      const delivered = await Promise.all(outputs.map((output) => output.alreadyDelivered?.(items)));
      return renderer.render(records, delivered);
    },
  );
  for await (const batch of rendered) {
    signal?.throwIfAborted();
    for (const [at, output] of outputs.entries()) {
      const { pieces, items } = batch.outputs[at] as RenderedBatch["outputs"][number];
      const { between } = output.writer;
      if (between !== undefined && items.length > 0 && (written[at] ?? 0) > 0) output.put(between);
      await putAll(output, pieces, signal);
      await output.onWritten?.(items);
      written[at] = (written[at] ?? 0) + items.length;
    }
    for (const { id, message, output } of batch.failures) {
      const format = output === undefined ? undefined : outputs[output]?.format;
      log("warn", "invalid", { id, ...(format !== undefined && { format }), message });
    }
    addCounts(result, batch);
    progress?.(result);
  }
  for (const [at, { writer, put, flush }] of outputs.entries()) {
    writer.end(put, written[at] ?? 0);
    await flush();
  }
  return result;
};

const putAll = async ({ put, flush }: Output, pieces: readonly Piece[], signal: AbortSignal | undefined) => {
  let unflushed = 0;
  const putPiece = (data: Chunk, target: PutOptions): boolean => {
    put(data, target);
    unflushed += data.length;
    return unflushed >= UNFLUSHED_SIZE;
  };
  const flushPieces = async (): Promise<void> => {
    signal?.throwIfAborted();
    await flush();
    unflushed = 0;
  };
  for (const { data, rows, ...target } of pieces) {
    if (!isLong(data)) {
      if (putPiece(data, rows === undefined ? target : { rows, ...target })) await flushPieces();
      continue;
    }
    for (const text of data.pieces()) if (putPiece(text, target)) await flushPieces();
    put("", { ...target, ...(rows !== undefined && { rows }) });
  }
  await flush();
};

const sizeOf = (records: readonly RawConversation[]): number =>
  records.reduce((sum, { document, further }) => sum + (document?.length ?? 0) + (further?.length ?? 0), 0);
