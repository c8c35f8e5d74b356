import { accessSync, constants, createReadStream, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { sumOf } from "../../core/counts.ts";
import { InvalidDocument, messageOf, UsageError } from "../../core/errors.ts";
import type { Arrival } from "../../core/records.ts";
import { isGzip } from "../../core/text.ts";
import type { Json } from "../../core/transcript.ts";
import { type JsonEntry, jsonValues } from "../../parse/json-values.ts";
import { fillWhole } from "../../sinks/whole-file.ts";
import { chatEvents } from "../../sources/chat-events.ts";
import type { AppContext, Host } from "../context.ts";
import { type RecordCounts, recordIntake } from "../record-intake.ts";
import type { ImportRequest } from "../record-requests.ts";
import { type RunResult, withSession } from "../session.ts";
import { checkFileWritable } from "../writable.ts";

/** How an import came out. */
export interface ImportRun extends RunResult {
  /** Values that were read: lines, or elements of an array. */
  values: number;
  /** What became of the events. */
  events: RecordCounts;
  /** Events of other types. */
  other: number;
  /** Values without a usable event. */
  broken: number;
  /** Of the archive's conversations, those that the files have events of. */
  conversations: number;
  ms: number;
}

/** A value that could not be imported. */
interface Broken {
  file: string;
  line: number;
  code: string;
  message: string;
  /** The value itself, so that it can be mended and imported. */
  value?: Json;
  text?: string;
}

type KeepAside = (value: Broken) => Promise<void>;

/** Events of one commit. */
const BATCH = 500;

/**
Reads chat logs from files into the archive. What the archive has already is not added again.

A value without a usable event does not stop the others: the run is `partial`.

@throws UsageError for a file that cannot be read, and what ends a run
*/
export const runImport = async (request: ImportRequest, context: AppContext): Promise<ImportRun> => {
  const { host, log, progress } = context;
  const files = request.files.length > 0 ? request.files : ["-"];
  for (const file of files) checkReadable(file, host);
  checkFileWritable(request.errorFile, "--error-file", host);
  const facts = { files: [...files] };
  const options = { command: "import", facts, writes: true, create: true };
  return withSession(request, context, options, async ({ archive, startedAt, closing, ending }) => {
    const intake = recordIntake(archive, log);
    const events = intake.counts;
    let broken = 0;
    let values = 0;
    let other = 0;
    let batch: Arrival[] = [];
    const flush = async (): Promise<void> => {
      await intake.add(batch);
      batch = [];
    };
    const take = async (
      file: string,
      { line, value, broken: text }: JsonEntry,
      keepAside: KeepAside,
    ): Promise<void> => {
      values += 1;
      try {
        if (value === undefined) throw new InvalidDocument("not JSON", "NotJson");
        const found = chatEvents(value);
        other += found.other;
        batch.push(...found.arrivals);
      } catch (error) {
        if (!(error instanceof InvalidDocument)) throw error;
        const { message } = error;
        const { code } = error.facts;
        broken += 1;
        log("warn", "not-imported", { file, line, code, message });
        await keepAside({ file, line, code, message, ...(value === undefined ? { text: text ?? "" } : { value }) });
      }
      if (batch.length >= BATCH) await flush();
      progress.show({ stage: "Importing", done: values, worked: values, troubled: broken });
    };
    const importAll = async (keepAside: KeepAside): Promise<void> => {
      for (const file of files)
        for await (const entry of valuesOf(file, host)) {
          closing.throwIfAborted();
          for (const each of elementsOf(entry)) await take(file, each, keepAside);
        }
      await flush();
    };
    try {
      if (request.errorFile === undefined) await importAll(async () => undefined);
      else
        await fillWhole(resolve(host.cwd, request.errorFile), host, { closing, ending, log }, (file) =>
          importAll(async (each) => {
            file.add(`${JSON.stringify(each)}\n`, 1);
            await file.flush();
          }),
        );
    } finally {
      progress.stop();
    }
    const conversations = sumOf(await archive.counts());
    const detail = { ...facts, values, ...events, other, broken, conversations };
    return {
      outcome: broken > 0 || events.conflict > 0 ? "partial" : "complete",
      detail,
      values,
      events,
      other,
      broken,
      conversations,
      ms: host.now().getTime() - startedAt.getTime(),
    };
  });
};

/** Before an archive is made for a name that was mistyped. @throws UsageError */
const checkReadable = (file: string, host: Host): void => {
  if (file === "-") return;
  const path = resolve(host.cwd, file);
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${messageOf(error)}.`);
  }
  if (statSync(path).isDirectory())
    throw new UsageError(`${file} is a folder. Name its files, for example ${file}/*.json.`);
};

/** The elements of an array on one line, each by itself: one that is broken does not affect the others. */
const elementsOf = (entry: JsonEntry): JsonEntry[] =>
  Array.isArray(entry.value) ? entry.value.map((value) => ({ line: entry.line, value })) : [entry];

async function* valuesOf(file: string, host: Host): AsyncGenerator<JsonEntry> {
  const label = file === "-" ? "standard input" : file;
  const stream = file === "-" ? host.stdin : createReadStream(resolve(host.cwd, file));
  try {
    yield* jsonValues(unzipped(stream as AsyncIterable<Uint8Array>));
  } catch (error) {
    throw new UsageError(`Cannot read ${label}: ${messageOf(error)}.`);
  }
}

/** The bytes without gzip, if they begin as gzip does. */
async function* unzipped(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return;
  async function* all(): AsyncGenerator<Uint8Array> {
    yield first.value as Uint8Array;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  if (!isGzip(first.value)) {
    yield* all();
    return;
  }
  const { Readable: Stream } = await import("node:stream");
  const source: Readable = Stream.from(all());
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  yield* source.pipe(gunzip) as AsyncIterable<Uint8Array>;
}
