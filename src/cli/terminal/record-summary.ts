import type { ChatPlan } from "../../app/pull/chat-selection.ts";
import type { DialogueRun } from "../../app/pull/dialogues.ts";
import type { RecordRun } from "../../app/pull/records.ts";
import type { RecordCounts } from "../../app/record-intake.ts";
import { sumOf } from "../../core/counts.ts";
import { count, duration, plural } from "../../core/wording.ts";
import type { Logger } from "./logger.ts";

/** What one record is called. */
type Noun = keyof typeof MANY;
const MANY = { event: "events", entry: "entries", dialogue: "dialogues" } as const;

/** The closing lines of a pull of records. @param noun what one record is called */
export const printRecordSummary = (
  logger: Logger,
  noun: Noun,
  run: RecordRun | DialogueRun,
  exitCode: number,
): void => {
  const sessions = "sessions" in run ? { sessions: { ...run.sessions } } : {};
  const { records, known, troubled, silent, conversations, throttled, limited, ms } = run;
  logger.record("summary", {
    ...records,
    known,
    ...troubled,
    silent,
    conversations,
    throttled,
    limited,
    ms,
    ...sessions,
    exitCode,
  });
  const notHad = Object.entries(troubled).flatMap(([state, n]) => (n > 0 ? [`${count(n)} ${state}`] : []));
  const sum = recordLine(noun, { ...records, repeated: records.repeated + known }, sumOf(troubled));
  logger.message([sum, ...notHad].join(" + "), exitCode === 0 ? "green" : "yellow");
  logger.message(`${plural(conversations, "conversation")} of the ${MANY[noun]} that were read; ${duration(ms)}`);
  if (sessions.sessions) logger.message(sessionLine(sessions.sessions));
  if (throttled > 0)
    logger.message(`${plural(throttled, "request")} ${throttled === 1 ? "was" : "were"} throttled and repeated.`);
  if (limited) logger.message("Stopped at --limit; there may be more.");
};

const sessionLine = ({ listed, known }: DialogueRun["sessions"]): string => {
  const skipped = known > 0 ? `; ${plural(known, "call")} of sessions that were listed before` : "";
  return `${plural(listed, "session")} listed${skipped}`;
};

/** "5 events = 3 added + 2 already in the archive". @param more counted beside the results */
export const recordLine = (noun: Noun, counts: RecordCounts, more = 0): string => {
  const { added, repeated, replaced, moved, conflict, dropped } = counts;
  const parts = [
    [added, "added"],
    [repeated, "already in the archive"],
    [replaced, "replaced"],
    [moved, "joined with their call"],
    [conflict, "in conflict"],
    [dropped, "of forgotten conversations"],
  ] as const;
  const sum = parts.reduce((total, [n]) => total + n, more);
  const named = parts.filter(([n], at) => at === 0 || n > 0).map(([n, what]) => `${count(n)} ${what}`);
  return `${count(sum)} ${sum === 1 ? noun : MANY[noun]} = ${named.join(" + ")}`;
};

/** Prints what a pull of chats would do. */
export const printChatPlan = (logger: Logger, { listed, known }: ChatPlan): void => {
  logger.record("plan", { listed, known });
  logger.message(`${plural(listed, "event")} listed: ${count(known)} known, ${count(listed - known)} to fetch.`);
};
