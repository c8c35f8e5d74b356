import { bindingName } from "../../app/binding.ts";
import type { Status } from "../../app/status.ts";
import { oneLine } from "../../core/printable.ts";
import type { Counts } from "../../core/state.ts";
import { count, plural, size } from "../../core/wording.ts";
import { table } from "./format.ts";

const countsText = (counts: Counts): string =>
  Object.entries(counts)
    .filter(([, n]) => n > 0)
    .map(([state, n]) => `${count(n)} ${state}`)
    .join(", ");

const RISKS: Readonly<Record<Status["atRisk"][number]["what"], string>> = {
  "call-logs": "call logs not fetched",
  audio: "audio not downloaded",
  recordings: "recordings not downloaded",
  inbox: "records in the inbox",
};

/** An age as its largest unit: "3 d". */
const age = (seconds: number): string => {
  if (seconds >= 86_400) return `${count(Math.floor(seconds / 86_400))} d`;
  if (seconds >= 3_600) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 60)} min`;
};

/** The status of an archive as text. @param name the archive as the user wrote it */
export const statusText = (name: string, status: Status): string => {
  const { binding, counts, sources, acknowledged, agents, rawBytes, storedBytes, runs, inbox, media, atRisk } = status;
  const settled = acknowledged > 0 ? ` (${count(acknowledged)} of the missing, invalid or failed acknowledged)` : "";
  const lines = [
    `Archive ${oneLine(name)}: ${size(rawBytes)} of documents, ${size(storedBytes)} as stored`,
    countsText(counts) === "" ? "no conversations" : countsText(counts) + settled,
  ];
  const owner = bindingName(binding);
  if (owner !== "") lines.push(`of ${owner}`);
  for (const { source, ...own } of sources)
    if (source !== "calls" && bindingName(own) !== "") lines.push(`${source} of ${bindingName(own)}`);
  if (inbox && inbox.records > 0)
    lines.push(
      `${count(inbox.records)} ${inbox.records === 1 ? "record waits" : "records wait"} in the inbox since ${inbox.oldest}; the next run that writes takes them over`,
    );
  if (media)
    lines.push(
      `${plural(media.files, "file")} beside it (${size(media.bytes)})${media.missing + media.failed > 0 ? `, ${count(media.missing)} missing, ${count(media.failed)} failed` : ""}`,
    );
  if (atRisk.length > 0)
    lines.push(
      "",
      table([
        ["AT RISK", "WAITING", "OLDEST", "AGE"],
        ...atRisk.map(({ what, count: n, oldest, ageSeconds }) => [
          RISKS[what],
          count(n),
          oldest ?? "-",
          ageSeconds === undefined ? "-" : age(ageSeconds),
        ]),
      ]),
    );
  const hasOthers = sources.some(({ source }) => source !== "calls");
  if (hasOthers)
    lines.push(
      "",
      table([
        ["SOURCE", "FIRST", "LAST", "READ UNTIL", "CONVERSATIONS"],
        ...sources.map(({ source, first, last, cursor, counts: states }) => [
          source,
          first ?? "-",
          last ?? "-",
          cursor ?? (source === "calls" ? "(by agent)" : "-"),
          countsText(states),
        ]),
      ]),
    );
  if (agents.length > 0)
    lines.push(
      "",
      table([
        ["AGENT", hasOthers ? "CONVERSATIONS" : "CALLS", "FIRST", "LAST", "SETTLED UNTIL"],
        ...agents.map(({ agentId, calls, first, last, cursor }) => [
          agentId,
          count(calls),
          first ?? "-",
          last ?? "-",
          cursor ?? "-",
        ]),
      ]),
    );
  if (runs.length > 0)
    lines.push(
      "",
      table([
        ["RUN", "STARTED", "COMMAND", "EXIT"],
        ...runs.map(({ run, startedAt, command, exitCode }) => [
          String(run),
          startedAt,
          command,
          exitCode === undefined ? "did not end" : String(exitCode),
        ]),
      ]),
    );
  return `${lines.join("\n")}\n`;
};
