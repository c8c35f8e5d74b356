import { parentPort, workerData } from "node:worker_threads";
import type { Chunk } from "../../core/ports.ts";
import { isLong, type Piece, type RenderedBatch, renderBatch } from "../../core/render-batch.ts";
import { decodeBundle } from "./bundle.ts";
import { OutputBuffer } from "./output-buffer.ts";
import { type RenderPlan, renderingOf } from "./plan.ts";
import type { RenderReply, RenderRequest } from "./threads.ts";

// One thread of `threads.ts`: bundles come in, what was made of them goes out as bytes.

const rendering = await renderingOf(workerData as RenderPlan);

parentPort?.on("message", ({ number, bundle, had }: RenderRequest) => {
  try {
    const made = renderBatch(decodeBundle(bundle), had, rendering);
    if (made.outputs.some(({ pieces }) => pieces.some(({ data }) => isLong(data)))) {
      // Its text is made while it is written, so where it is written.
      parentPort?.postMessage({ number, long: bundle } satisfies RenderReply, [bundle.bytes.buffer]);
      return;
    }
    const rendered = asBytes(made, bundle.bytes.length);
    const buffers = rendered.outputs.flatMap(({ pieces }) => pieces.map(({ data }) => (data as Uint8Array).buffer));
    // Each once: pieces may be views of one.
    parentPort?.postMessage({ number, rendered } satisfies RenderReply, [...new Set(buffers)] as ArrayBuffer[]);
  } catch (error) {
    parentPort?.postMessage({ number, error } satisfies RenderReply);
  }
});

/** Text is encoded here, where there is time for it: of each file few pieces, but for files that are whole pieces. */
const asBytes = (rendered: RenderedBatch, expected: number): RenderedBatch => ({
  ...rendered,
  outputs: rendered.outputs.map(({ pieces, items }) => ({ items, pieces: joined(pieces, expected) })),
});

const joined = (pieces: readonly Piece[], expected: number): Piece[] => {
  const files = new Map<string | undefined, { bytes: OutputBuffer; rows: number }>();
  const whole: Piece[] = [];
  for (const piece of pieces) {
    const { file, rows = 0 } = piece;
    const data = piece.data as Chunk;
    if (piece.whole) {
      whole.push({ ...piece, data: typeof data === "string" ? Buffer.from(data) : data });
      continue;
    }
    const sum = files.get(file) ?? { bytes: new OutputBuffer(file === undefined ? expected : 0), rows: 0 };
    sum.bytes.add(data);
    sum.rows += rows;
    files.set(file, sum);
  }
  return [
    ...[...files].flatMap(([file, { bytes, rows }]) =>
      bytes.taken().map((data, at) => ({ data, rows: at === 0 ? rows : 0, ...(file !== undefined && { file }) })),
    ),
    ...whole,
  ];
};
