import type { Call } from "./corpus.ts";

/** An entry of a call log. */
export interface LogEntry {
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
  readonly producer: "user" | "agent";
  readonly type: string;
  readonly text: string;
}

export interface ReadLog {
  /** Start and end of the call, in milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly entries: readonly LogEntry[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const parse = (bytes: Uint8Array): Record<string, unknown> => {
  try {
    const document: unknown = JSON.parse(Buffer.from(bytes).toString());
    return isObject(document) ? document : {};
  } catch {
    return {};
  }
};

/** Reads a call log. One that cannot be read has no entries. */
export const readLog = (call: Call): ReadLog => {
  const { bytes, seconds } = call.log();
  const { startTime, dialog } = parse(bytes);
  const started = typeof startTime === "number" && Number.isFinite(startTime) ? startTime : call.start;
  const start = Math.ceil(started * 1000);
  let begin = 0;
  const entries = (Array.isArray(dialog) ? dialog : []).filter(isObject).map((entry): LogEntry => {
    if (typeof entry.begin === "number" && Number.isFinite(entry.begin)) begin = entry.begin;
    return {
      at: Math.floor((started + begin) * 1000),
      producer: entry.role === "agent" ? "agent" : "user",
      type: typeof entry.type === "string" ? entry.type : "normal",
      text: typeof entry.text === "string" ? entry.text : "",
    };
  });
  return { start, end: Math.max(start, Math.floor((started + seconds) * 1000)), entries };
};
