import { styleText } from "node:util";
import { oneLine } from "../../core/printable.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { count, duration, isAre, plural, size } from "../../core/wording.ts";

export type Style = "red" | "yellow" | "green" | "dim" | "bold";

export const paint = (color: boolean, style: Style, text: string): string =>
  color ? styleText(style, text, { validateStream: false }) : text;

/** Why a receiver refused a request, by reason. */
const REFUSED: Readonly<Record<string, string>> = {
  unsigned: "they carry no signature of EventBridge that this version knows",
  token: "the token is missing or wrong",
  time: "the signature is older or newer than 60 s; check the clock",
  "certificate-host": "the certificate is not of EventBridge in --chats-region",
  "no-certificate": "the certificate could not be fetched",
  signature:
    "the signature does not match; check that --public-url is the address in the HTTP target, character by character",
  "not-json": "the body is not JSON",
  "no-event": "the body has no usable event",
  "no-callback": "the body is no callback of an agent",
  "queue-full": "too many events wait for the disk",
  memory: "too many large requests at once",
  storage: "the events could not be stored",
  path: "unknown path",
  method: "not a POST",
  type: "not application/json",
  size: "larger than 1 MB",
};

const SENTENCES: Record<string, (fields: JsonObject) => string> = {
  start: ({ version, runId, command, ...fields }) =>
    `callarchive ${version} starts run ${runId}: ${[command, ...pairs(fields)].join(" ")}`,
  retry: ({ action, item, attempt, waitMs, message }) =>
    `${action}${item ? ` ${item}` : ""}: ${message} Attempt ${attempt} failed; the next one starts in ${Number(waitMs) / 1000} s.`,
  throttled: ({ perSecond, message }) =>
    perSecond === undefined
      ? `${message} The request is repeated.`
      : `The service throttles: now ${perSecond} requests per second.`,
  fetched: ({ id, bytes }) => `${id}: fetched, ${size(Number(bytes))}.`,
  open: ({ id }) => `${id}: the call has not ended, or its log is not written yet.`,
  missing: ({ id, message }) => `${id}: missing. ${message}`,
  failed: ({ id, message }) => `${id}: failed. ${message}`,
  invalid: ({ id, format, message }) =>
    format === undefined
      ? `${id}: invalid: ${message}. Its bytes are kept: "callarchive show ${id} --raw" prints them, "callarchive pull ${id} --refresh" fetches it again.`
      : `${id}: cannot be written as ${format}: ${message}. This format leaves it out; other formats have it.`,
  "not-refreshed": ({ id, stored, message }) => `${id}: could not be refreshed, it stays ${stored}. ${message}`,
  "not-described": ({ id, message }) => `${id}: its details could not be fetched. ${message}`,
  "not-listed": ({ agentId, message }) => `Agent ${agentId} could not be listed. ${message}`,
  "not-recorded": ({ message }) => String(message),
  fewer: ({ place, before, now }) =>
    `${place} had ${plural(Number(before), "conversation")}; this run replaces them with ${count(Number(now))}.`,
  "no-reader": ({ path }) => `Waiting for a program that reads ${path}.`,
  "not-scrubbed": ({ message }) => String(message),
  "not-imported": ({ file, line, message }) => `${file}, line ${line}: not imported: ${message}.`,
  "records-stopped": ({ added, replaced }) =>
    `Ended early: ${plural(Number(added) + Number(replaced), "record")} stored by this run. The same command continues.`,
  "never-listed-records": ({ source, message }) =>
    `The service listed no ${source}, and the archive has none: ${message}. If there are none yet, --allow-empty avoids exit 3.`,
  "preset-limits": ({ message }) => `${message}`,
  "no-sessions": ({ message }) => `${message} If that is right, --allow-empty avoids exit 3.`,
  "record-not-stored": ({ id, state, message }) =>
    `${id === "" ? "A record without an id" : id}: ${state === "invalid" ? `invalid: ${message}.` : `${state}. ${message}`}`,
  "record-conflict": ({ id, record }) =>
    `${id}: the record ${record} came with different content. Both are kept; the longer one is used.`,
  receiving: ({ what, url }) => `Receiving ${what} at ${url}. Ctrl-C stops.`,
  exposed: ({ message }) => String(message),
  refused: ({ reason, count: times, message }) =>
    `${plural(Number(times), "request")} refused: ${REFUSED[String(reason)] ?? reason}.${message === undefined ? "" : ` ${message}`}`,
  drained: ({ added, repeated, conflict, dropped }) =>
    `From the inbox: ${plural(Number(added), "new record")}, ${count(Number(repeated))} already in the archive, ${count(Number(conflict))} in conflict, ${count(Number(dropped))} of forgotten conversations.`,
  "audio-not-downloaded": ({ message }) => `An audio file could not be downloaded: ${message} It is tried again.`,
  "not-drained": ({ message }) => String(message),
  "not-acknowledged": ({ id, message }) => `${id}: not acknowledged. ${message}`,
  "bad-id": ({ message }) => String(message),
  "rows-in-set": ({ folder, rows }) =>
    `The data set in ${folder} has ${plural(Number(rows), "row")} of it: \`callarchive dataset forget ID ${folder}\` removes them.`,
  "unreadable-set": ({ message }) => String(message),
  "would-forget": ({ id, state, startedAt, bytes }) =>
    `${id}: would be deleted (${state}${startedAt ? `, started ${startedAt}` : ""}, ${size(Number(bytes))} of documents).`,
  waiting: ({ pid, host, startedAt }) =>
    `Waiting for another run to end: process ${pid} on ${host}, started ${startedAt}.`,
  stopping: ({ reason, drainSeconds }) =>
    `${reason} Finishing running work (up to ${drainSeconds} s); another signal ends it at once.`,
  "selection-differs": ({ startedAt, ended, was, is }) =>
    `The last run (${startedAt}) ${ended}, and had another selection: ${JSON.stringify(was)}, now ${JSON.stringify(is)}.`,
  "updating-archive": ({ archive, version, calls, seconds }) =>
    `Updating the archive ${archive} to version ${version}: ${plural(Number(calls), "call")}, about ${secondsText(Number(seconds))}.`,
  "archive-updated": ({ archive, version, ms }) =>
    `The archive ${archive} is updated to version ${version}; this took ${duration(Number(ms))}.`,
  moved: ({ place, from }) =>
    `${place} was at ${from} before, and holds what this archive wrote there: this run continues it.`,
  adopted: ({ place, parts, known }) =>
    parts === 0
      ? `${place} holds no output: all calls count as not written there yet.`
      : `${place} already has ${plural(Number(known), "call")} of this archive, according to its files (${plural(Number(parts), "part")}).`,
  "adopted-unknown": ({ place, unknown }) =>
    `${place} holds ${plural(Number(unknown), "call")} that this archive does not have. If the archive gets them later, --new writes them there again.`,
  "anothers-output": ({ output, archive }) =>
    `${output} belongs to another archive (${String(archive).slice(0, 8)}…), not to the one that was checked.`,
  stopped: ({ asked, selected, fetched, invalid, keeps }) => {
    const of =
      asked === undefined
        ? `${plural(Number(selected), "call")} found until then`
        : `${plural(Math.max(Number(asked), Number(selected)), "call")} selected`;
    const kept = keeps
      ? `, ${isAre(Number(fetched) + Number(invalid))} in the archive. The same command continues from there.`
      : ".";
    return `Ended early: of ${of}${kept}`;
  },
  "archive-checked": ({ documents, files }) =>
    `Checked ${plural(Number(documents), "document")}${files === undefined ? "" : ` and ${plural(Number(files), "file")}`} of the archive.`,
  "output-checked": ({ output, files }) => `${output}: ${plural(Number(files), "file")} checked.`,
  compared: ({ calls }) => `Compared ${plural(Number(calls), "call")} that the cloud lists.`,
  "compared-up-to": ({ agentId, until, end }) => `Agent ${agentId}: compared up to ${until} (${end}).`,
  "link-refreshed": ({ id }) => `${id}: the link had expired; requested a new one.`,
  "pages-moved": ({ agentId, pass }) => `The pages of agent ${agentId} changed while they were read (pass ${pass}).`,
  "window-split": ({ start, end }) =>
    `The window ${start} .. ${end} has more calls than the service lists at once: split.`,
  "keeps-moving": ({ agentId, start, end, passes }) =>
    `The calls of agent ${agentId} from ${start} to ${end} changed each time they were listed (${passes} times); the next run lists them again.`,
  "never-listed": ({ agentId, message }) =>
    `Agent ${agentId} has never listed a call: ${message}. If it has no calls yet, --allow-empty avoids exit 3.`,
  "older-calls": ({ place, since, command }) =>
    `The first output to ${place} in this format begins at ${since}, because of --since last: older calls in the archive are not written there. To write all calls in the archive: ${command}`,
};

const secondsText = (seconds: number): string =>
  seconds < 100 ? `${seconds} s` : `${count(Math.round(seconds / 60))} min`;

/** An event as a line for people. */
export const sentence = (event: string, fields: JsonObject): string =>
  SENTENCES[event]?.(fields) ?? `${event}: ${pairs(fields).join(" ")}`;

const pairs = (fields: JsonObject): string[] =>
  Object.entries(fields).map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);

/** Columns of text, two spaces apart; line breaks in a cell are escaped. */
export const table = (cells: readonly (readonly string[])[]): string => {
  const rows = cells.map((row) => row.map(oneLine));
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};
