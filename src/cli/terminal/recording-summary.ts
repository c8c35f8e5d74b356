import type { RecordingRun } from "../../app/pull/recordings.ts";
import { count, duration, plural, size } from "../../core/wording.ts";
import type { Logger } from "./logger.ts";

/** The closing lines of a pull of recordings. */
export const printRecordingSummary = (logger: Logger, run: RecordingRun, exitCode: number): void => {
  const { found, added, matched, downloaded, bytes, waiting, troubled, silent, ms } = run;
  const { calls, ...files } = matched;
  logger.record("summary", {
    ...{ found, added, matched: files.files, unmatched: files.unmatched, calls: { ...calls } },
    ...{ downloaded, bytes, waiting, ...troubled, silent, ms, exitCode },
  });
  const notHad = Object.entries(troubled).flatMap(([state, n]) => (n > 0 ? [`${count(n)} ${state}`] : []));
  const sum = [`${plural(found, "file")} found, ${count(added)} new`, ...notHad].join("; ");
  logger.message(sum, exitCode === 0 ? "green" : "yellow");
  logger.message(
    `${plural(downloaded, "file")} downloaded (${size(bytes)}), ${count(waiting)} waiting; ${duration(ms)}`,
  );
  if (calls.recorded + calls.notRecordable + calls.unrecorded > 0)
    logger.message(
      `Calls of that time: ${count(calls.recorded)} with recordings, ${count(calls.unrecorded)} without, ${count(calls.notRecordable)} not recordable (phone calls).`,
    );
  const { unmatched, withoutTime } = files;
  if (unmatched > withoutTime)
    logger.message(
      `${plural(unmatched - withoutTime, "file")} of which the archive has no call with that channel and time: pull the calls with --describe always, then run again.`,
    );
  if (withoutTime > 0)
    logger.message(
      `${plural(withoutTime, "file")} of VOD, which names neither channel nor time: name the call with --call, and its task.`,
    );
};
