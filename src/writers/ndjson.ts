import type { Writer } from "../core/ports.ts";
import type { Transcript } from "../core/transcript.ts";
import { jsonLine, type WriterOptions } from "./shape.ts";

/** One transcript a line, or with rows "turn" one turn a line. */
export const ndjson = ({ rows = "call" }: WriterOptions): Writer => ({
  begin: () => {},
  item: (transcript, put) => {
    const lines = rows === "turn" ? turnLines(transcript) : [jsonLine(transcript)];
    put(lines.join(""), { rows: lines.length });
    return undefined;
  },
  end: () => {},
});

/** A line names its call and its place in it, counted from 1; a call without turns has one line too, so that it is not lost. */
const turnLines = ({ id: callId, source, agentId, sessionId, startedAt, turns }: Transcript): string[] => {
  const call = jsonLine({ callId, source, agentId, sessionId, startedAt });
  if (turns.length === 0) return [call];
  // The call's part is written once and cut open for each turn: building whole rows as objects is eight times slower.
  const head = call.slice(0, -"}\n".length);
  return turns.map((turn, index) => {
    const row = Object.assign({ turn: index + 1, turnId: turn.id }, turn, { id: undefined });
    return `${head},${jsonLine(row).slice("{".length)}`;
  });
};
