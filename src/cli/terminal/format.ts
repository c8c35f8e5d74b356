import { styleText } from "node:util";
import { oneLine } from "../../core/printable.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { count, isAre, plural, size } from "../../core/wording.ts";

export type Style = "red" | "yellow" | "green" | "dim" | "bold";

export const paint = (color: boolean, style: Style, text: string): string =>
  color ? styleText(style, text, { validateStream: false }) : text;

const SENTENCES: Record<string, (fields: JsonObject) => string> = {
  start: ({ version, runId, command, ...fields }) =>
    `callarchive ${version} begins run ${runId}: ${[command, ...pairs(fields)].join(" ")}`,
  retry: ({ action, item, attempt, waitMs, message }) =>
    `${action}${item ? ` ${item}` : ""}: ${message} Attempt ${attempt} failed; the next follows in ${Number(waitMs) / 1000} s.`,
  throttled: ({ perSecond, message }) =>
    perSecond === undefined
      ? `${message} It is tried again.`
      : `The service throttles: now ${perSecond} requests a second.`,
  fetched: ({ id, bytes }) => `${id}: fetched, ${size(Number(bytes))}.`,
  open: ({ id }) => `${id}: not finished, or its log is not written yet.`,
  missing: ({ id, message }) => `${id}: missing. ${message}`,
  failed: ({ id, message }) => `${id}: failed. ${message}`,
  invalid: ({ id, format, message }) =>
    format === undefined
      ? `${id}: invalid: ${message}. Its bytes are kept: "callarchive show ${id} --raw"; "callarchive pull ${id} --refresh" asks for it again.`
      : `${id}: cannot be written as ${format}: ${message}. It is left out there; other formats have it.`,
  "not-refreshed": ({ id, stored, message }) => `${id}: asked for again in vain: it stays ${stored}. ${message}`,
  "not-described": ({ id, message }) => `${id}: its details could not be had. ${message}`,
  "not-listed": ({ agentId, message }) => `Agent ${agentId} could not be listed. ${message}`,
  "not-recorded": ({ message }) => String(message),
  fewer: ({ place, before, now }) =>
    `${place} had ${plural(Number(before), "conversation")}, now ${count(Number(now))}: this selection replaces it.`,
  "no-reader": ({ path }) => `Waiting until something reads ${path}.`,
  "not-scrubbed": ({ message }) => String(message),
  "not-acknowledged": ({ id, message }) => `${id}: not acknowledged. ${message}`,
  "bad-id": ({ message }) => String(message),
  "would-forget": ({ id, state, startedAt, bytes }) =>
    `${id}: would be deleted: ${state}${startedAt ? `, began ${startedAt}` : ""}, ${size(Number(bytes))} of documents.`,
  waiting: ({ pid, host, startedAt }) =>
    `Waiting for another run to end: process ${pid} on ${host}, since ${startedAt}.`,
  stopping: ({ reason, drainSeconds }) =>
    `${reason} Finishing what is under way (up to ${drainSeconds} s); another signal ends at once.`,
  "selection-differs": ({ startedAt, ended, was, is }) =>
    `The last run (${startedAt}) ${ended}, and selected something else: ${JSON.stringify(was)}, now ${JSON.stringify(is)}.`,
  moved: ({ place, from }) =>
    `${place} was at ${from} before, and holds what this archive wrote there: it goes on here.`,
  adopted: ({ place, parts, known }) =>
    parts === 0
      ? `${place} holds no output: no call counts as written there.`
      : `${place}: its files say (${plural(Number(parts), "part")}) that it has had ${plural(Number(known), "call")} of this archive.`,
  "adopted-unknown": ({ place, unknown }) =>
    `${place} holds ${plural(Number(unknown), "call")} that this archive does not have. If it gets them one day, --new writes them there again.`,
  "anothers-output": ({ output, archive }) =>
    `${output} belongs to another archive (${String(archive).slice(0, 8)}…) than the one that was checked.`,
  stopped: ({ asked, selected, fetched, invalid, keeps }) => {
    const of =
      asked === undefined
        ? `${plural(Number(selected), "call")} found so far`
        : `${plural(Math.max(Number(asked), Number(selected)), "call")} asked for`;
    const kept = keeps
      ? `, ${isAre(Number(fetched) + Number(invalid))} in the archive. The same command goes on from there.`
      : ".";
    return `Ended early: of ${of}${kept}`;
  },
  "archive-checked": ({ documents }) => `${plural(Number(documents), "document")} of the archive checked.`,
  "output-checked": ({ output, files }) => `${output}: ${plural(Number(files), "file")} checked.`,
  compared: ({ calls }) => `${plural(Number(calls), "call")} listed by the cloud compared.`,
  "compared-up-to": ({ agentId, until, end }) => `Agent ${agentId}: compared up to ${until} (${end}).`,
  "link-refreshed": ({ id }) => `${id}: the link had expired; asked for a fresh one.`,
  "pages-moved": ({ agentId, pass }) => `Pages of agent ${agentId} moved while they were read (pass ${pass}).`,
  "window-split": ({ start, end }) => `More calls than one window can list: split ${start} .. ${end}.`,
  "keeps-moving": ({ agentId, start, end, passes }) =>
    `The calls of agent ${agentId} from ${start} to ${end} changed each of the ${passes} times that they were listed; the next run lists them again.`,
  "never-listed": ({ agentId, message }) =>
    `Agent ${agentId} has never listed a call: ${message}. If it has had none yet, --allow-empty makes that exit 0.`,
  "older-calls": ({ place, since, command }) =>
    `${place} has had nothing yet, and --since last begins at ${since}: older calls in the archive are not written there. To write everything the archive has: ${command}`,
};

/** An event as a line for people. */
export const sentence = (event: string, fields: JsonObject): string =>
  SENTENCES[event]?.(fields) ?? `${event}: ${pairs(fields).join(" ")}`;

const pairs = (fields: JsonObject): string[] =>
  Object.entries(fields).map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);

/** Columns of text, two spaces apart; a cell is one line, whatever is in it. */
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
