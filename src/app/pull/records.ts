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
  /** Records that could not be had, and that no earlier run has reported. */
  troubled: number;
  /** The conversations of the records that were added or read again. */
  conversations: number;
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

/**
Runs `work` with a place for its trouble. The error file is whole when this resolves: empty if there was no trouble, so
that an older file is not mistaken for the result.

@returns how much trouble there was
*/
export const withTrouble = async (
  { errorFile }: { errorFile?: string },
  { host, log }: AppContext,
  { closing, ending }: Session,
  work: (take: TakeTrouble) => Promise<void>,
): Promise<number> => {
  let troubled = 0;
  const report = ({ value: _, ...trouble }: Trouble): void => {
    troubled += 1;
    log("warn", "record-not-stored", trouble);
  };
  if (errorFile === undefined) await work(async (trouble) => report(trouble));
  else
    await fillWhole(resolve(host.cwd, errorFile), host, { closing, ending, log }, (file) =>
      work(async (trouble) => {
        report(trouble);
        file.add(`${JSON.stringify(trouble)}\n`, 1);
        await file.flush();
      }),
    );
  return troubled;
};

/** The result of a pull, from what it counted. */
export const recordRun = async (
  archive: Archive,
  facts: JsonObject,
  counted: Pick<RecordRun, "records" | "known" | "troubled" | "throttled" | "limited" | "ms">,
): Promise<RecordRun> => {
  const states = await archive.counts();
  const conversations = sumOf(states);
  const { records, known, troubled } = counted;
  const outcome: RunOutcome = troubled > 0 || records.conflict > 0 ? "partial" : "complete";
  return {
    ...counted,
    outcome,
    conversations,
    detail: { ...facts, ...records, known, troubled, conversations },
    figures: { calls: { selected: conversations, ...states }, bytes: 0 },
    reported: true,
  };
};
