import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { JsonObject } from "../../../core/transcript.ts";
import { lines } from "../../../parse/lines.ts";
import { createParquet } from "../../../presets/files/parquet.ts";
import { columnsIn } from "../../../presets/files/parquet-columns.ts";
import { parquetRows } from "../../../presets/files/parquet-rows.ts";
import type { AtomicFile } from "../../../sinks/atomic-file.ts";
import { jsonLine } from "../../../writers/shape.ts";
import { bytesOf } from "../../check/lines.ts";
import { PIECE } from "../shard-files.ts";

/** Whether a row stays. @param row from 1 */
type Stays = (row: number) => boolean;

/** The rows of a data file, in order. */
export async function* rowsIn(root: string, name: string): AsyncGenerator<{ row: number; value: () => JsonObject }> {
  let row = 0;
  if (name.endsWith(".parquet")) {
    const { asyncBufferFromFile } = await import("hyparquet");
    for await (const value of parquetRows(await asyncBufferFromFile(join(root, name))))
      yield { row: ++row, value: () => value };
    return;
  }
  for await (const line of textLines(root, name)) yield { row: ++row, value: () => JSON.parse(line) as JsonObject };
}

/** Writes a data file again without some rows; the others keep their bytes and their order. */
export const rewriteFile = (root: string, name: string, copy: AtomicFile, stays: Stays): Promise<void> =>
  name.endsWith(".parquet") ? rewriteParquet(root, name, copy, stays) : rewriteLines(root, name, copy, stays);

const textLines = (root: string, name: string): AsyncGenerator<string> =>
  lines(bytesOf(join(root, name)) as AsyncIterable<Uint8Array>, Number.POSITIVE_INFINITY);

const rewriteLines = async (root: string, name: string, copy: AtomicFile, stays: Stays): Promise<void> => {
  let row = 0;
  let text = "";
  let rows = 0;
  const pass = async (): Promise<void> => {
    // As the data set was written: the same pieces give the same bytes.
    copy.add(name.endsWith(".gz") ? gzipSync(text) : text, rows);
    text = "";
    rows = 0;
    await copy.flush();
  };
  for await (const line of textLines(root, name)) {
    if (!stays(++row)) continue;
    text += `${line}\n`;
    rows += 1;
    if (text.length >= PIECE) await pass();
  }
  if (text !== "") await pass();
};

const rewriteParquet = async (root: string, name: string, copy: AtomicFile, stays: Stays): Promise<void> => {
  const { asyncBufferFromFile, parquetMetadataAsync } = await import("hyparquet");
  const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(join(root, name)));
  const parquet = await createParquet(columnsIn(schema), (data, { rows = 0 } = {}) => copy.add(data, rows));
  for await (const { row, value } of rowsIn(root, name)) {
    if (!stays(row)) continue;
    parquet.add(value(), jsonLine(value()).length);
    await copy.flush();
  }
  parquet.end();
};
