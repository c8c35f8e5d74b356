import type { Archive } from "./archive.ts";
import { inOrder } from "./ordered.ts";
import type { Log, Put, Writer } from "./ports.ts";
import type { RawRecord } from "./raw-record.ts";
import { addTo, type Exported, nothing, type Rendered } from "./render.ts";

/** Of documents that are being rendered at once, in bytes: one batch may be a single large document. */
const ROOM = 16 * 1024 * 1024;

/** Where one format goes. */
export interface Output {
  /** Begins and ends the file; what lies between comes rendered. */
  writer: Writer;
  put: Put;
  /** Lets what was put reach its place; awaited between batches, so that memory stays bounded. */
  flush(): Promise<void>;
  /** Of these items, those that it has had before and does not want again. */
  had?: (items: readonly number[]) => Promise<ReadonlySet<number>>;
  /** Told of each batch that was written. */
  wrote?: (items: readonly number[]) => Promise<void>;
}

/** Turns records into the pieces of every output, perhaps on another thread. */
export interface Renderer {
  /** @param had of each output, the items that it does not want */
  render(records: readonly RawRecord[], had: readonly (ReadonlySet<number> | undefined)[]): Promise<Rendered>;
  /** How many batches are worth giving it before the first is back. */
  ahead: number;
}

export interface ExportOptions {
  archive: Pick<Archive, "rawRecords">;
  renderer: Renderer;
  /** In the order of the renderer's writers. */
  outputs: readonly Output[];
  signal?: AbortSignal;
  log: Log;
  progress?: (exported: Exported) => void;
}

/** Writes the archive's selection through every output in one pass, ordered by start, then id. */
export const exportSelection = async (options: ExportOptions): Promise<Exported> => {
  const { archive, renderer, outputs, signal, log, progress } = options;
  const result = nothing();
  const written = outputs.map(() => 0);
  for (const { writer, put } of outputs) writer.begin(put);
  const rendered = inOrder(archive.rawRecords(), { ahead: renderer.ahead, room: ROOM, sizeOf }, async (records) => {
    const items = records.map(({ record }) => record.item);
    const had = await Promise.all(outputs.map((output) => output.had?.(items)));
    return renderer.render(records, had);
  });
  for await (const batch of rendered) {
    signal?.throwIfAborted();
    for (const [at, output] of outputs.entries()) {
      const { pieces, items } = batch.outputs[at] as Rendered["outputs"][number];
      const { between } = output.writer;
      if (between !== undefined && items.length > 0 && (written[at] ?? 0) > 0) output.put(between);
      for (const { data, ...where } of pieces) output.put(data, where);
      await output.flush();
      await output.wrote?.(items);
      written[at] = (written[at] ?? 0) + items.length;
    }
    for (const { id, message } of batch.troubled) log("warn", "invalid", { id, message });
    addTo(result, batch);
    progress?.(result);
  }
  for (const [at, { writer, put, flush }] of outputs.entries()) {
    writer.end(put, written[at] ?? 0);
    await flush();
  }
  return result;
};

const sizeOf = (records: readonly RawRecord[]): number =>
  records.reduce((sum, { document }) => sum + (document?.length ?? 0), 0);
