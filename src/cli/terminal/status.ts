import { bindingName } from "../../app/binding.ts";
import type { Status } from "../../app/status.ts";
import { oneLine } from "../../core/printable.ts";
import type { Counts } from "../../core/state.ts";
import { count, size } from "../../core/wording.ts";
import { table } from "./format.ts";

const countsText = (counts: Counts): string =>
  Object.entries(counts)
    .filter(([, n]) => n > 0)
    .map(([state, n]) => `${count(n)} ${state}`)
    .join(", ");

/** The status of an archive as text. @param name the archive as the user wrote it */
export const statusText = (name: string, status: Status): string => {
  const { binding, counts, sources, acknowledged, agents, rawBytes, storedBytes, runs, inbox } = status;
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
