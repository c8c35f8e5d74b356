import { hash } from "node:crypto";
import { resolve } from "node:path";
import type { Archive } from "../../core/archive.ts";
import { sumOf } from "../../core/counts.ts";
import { ArchiveError, messageOf } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../core/transcript.ts";
import { fillWhole } from "../../sinks/whole-file.ts";
import type { AppContext, RunOutcome } from "../context.ts";
import type { RecordCounts } from "../record-intake.ts";
import type { RunResult, Session } from "../session.ts";

// What the pulls of all sources whose conversations have many records have in common.

/** How a pull of records came out. */
export interface RecordRun extends RunResult {
  /** What became of the records. */
  records: RecordCounts;
  /** Records that the service listed and the archive had already, so that they were not requested. */
  known: number;
  /** Records that could not be had, by state; without those that an earlier run has reported, unless all count. */
  troubled: Record<Trouble["state"], number>;
  /** The conversations of the records that were added or read again. */
  conversations: number;
  /** True when the service listed nothing, and the archive has nothing of this source. */
  silent: boolean;
  throttled: number;
  /** True when `limit` ended the run. */
  limited: boolean;
  ms: number;
}

/** A record that could not be had. */
export interface Trouble {
  id: string;
  state: "missing" | "invalid" | "failed";
  code: string;
  message: string;
  requestId?: string;
  /** The record itself, if the service gave one that cannot be read. */
  value?: Json;
}

export const troubleFrom = (id: string, state: Trouble["state"], error: unknown): Trouble => {
  const { code = "Unexpected", requestId } = error instanceof ArchiveError ? error.facts : {};
  return { id, state, code, message: messageOf(error), ...(requestId !== undefined && { requestId }) };
};

/** Takes trouble: logs it, counts it, and writes it to the error file, if there is one. */
export type TakeTrouble = (trouble: Trouble) => Promise<void>;

export interface TroubleOptions {
  source: "chats" | "queries" | "dialogues" | "recordings";
  errorFile?: string | undefined;
  /** Leave out what an earlier run has reported, so that a run that is repeated every hour reports it once. */
  onlyNew: boolean;
}

/**
Runs `work` with a place for its trouble. The error file is whole when this resolves: empty if there was no trouble, so
that an older file is not mistaken for the result.

@returns how much trouble there was, by state
*/
export const withTrouble = async (
  { source, errorFile, onlyNew }: TroubleOptions,
  { host, log }: AppContext,
  { archive, closing, ending }: Session,
  work: (take: TakeTrouble) => Promise<void>,
): Promise<RecordRun["troubled"]> => {
  const troubled = { missing: 0, invalid: 0, failed: 0 };
  const report = async (trouble: Trouble, write: () => Promise<void>): Promise<void> => {
    const { value, ...fields } = trouble;
    const name = trouble.id === "" ? hash("sha256", JSON.stringify(value ?? trouble.message)) : trouble.id;
    const fact = `reported:${source}:${name}` as const;
    const known = (await archive.fact(fact)) === trouble.code;
    log(onlyNew && known ? "debug" : "warn", "record-not-stored", fields);
    if (onlyNew && known) return;
    troubled[trouble.state] += 1;
    await write();
    // What failed may work the next time.
    if (trouble.state !== "failed" && !known) await archive.setFact(fact, trouble.code);
  };
  if (errorFile === undefined) await work((trouble) => report(trouble, async () => undefined));
  else
    await fillWhole(resolve(host.cwd, errorFile), host, { closing, ending, log }, (file) =>
      work((trouble) =>
        report(trouble, async () => {
          file.add(`${JSON.stringify(trouble)}\n`, 1);
          await file.flush();
        }),
      ),
    );
  return troubled;
};

/** Warns of a source that has never given a record. Returns whether that makes the run `partial`. */
export const warnOfSilence = async (
  source: "chats" | "queries",
  listed: number,
  { allowEmpty }: { allowEmpty?: boolean },
  { log }: Pick<AppContext, "log">,
  archive: Pick<Archive, "summary">,
  whatToCheck: string,
): Promise<boolean> => {
  if (listed > 0 || (await archive.summary([source])).sources.length > 0) return false;
  log("warn", "never-listed-records", { source, message: whatToCheck });
  return allowEmpty !== true;
};

/** Logs what a run has stored that ended early, and throws its error. */
export const reportEnded =
  ({ log }: Pick<AppContext, "log">, counts: RecordCounts) =>
  (error: unknown): never => {
    log("info", "records-stopped", { ...counts });
    throw error;
  };

/** The result of a pull, from what it counted. */
export const recordRun = async (
  archive: Archive,
  facts: JsonObject,
  counted: Pick<RecordRun, "records" | "known" | "troubled" | "silent" | "throttled" | "limited" | "ms">,
): Promise<RecordRun> => {
  const states = await archive.counts();
  const conversations = sumOf(states);
  const { records, known, troubled, silent } = counted;
  const outcome: RunOutcome = sumOf(troubled) > 0 || records.conflict > 0 || silent ? "partial" : "complete";
  return {
    ...counted,
    outcome,
    conversations,
    detail: { ...facts, ...records, known, ...troubled, conversations },
    figures: { calls: { selected: conversations, ...states }, bytes: 0 },
    reported: true,
  };
};
