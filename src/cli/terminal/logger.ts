import type { Level, Log } from "../../core/ports.ts";
import { jsonLine, oneLine, printable } from "../../core/printable.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { Io } from "../io.ts";
import { paint, type Style, sentence } from "./format.ts";

export interface DisplayFlags {
  logFormat: "text" | "json";
  quiet?: boolean;
  verbose?: boolean;
  progress: boolean;
  color: "auto" | "never" | "always";
}

/** Messages and logs, all of them to stderr. Whatever it is given, what reaches a terminal is text. */
export interface Logger {
  /**
  Something that happened; `-v` shows the debug ones.

  From the event `start` on, lines of text carry the time, except on a terminal: there somebody watches.
  */
  log: Log;
  /** A line of JSON logs alone, also with `-q`, where `message` says the same to people. */
  record: (event: string, fields: JsonObject) => void;
  /** Lines for people alone: not shown with `-q`, nor in JSON logs. */
  message: (text: string, style?: Style) => void;
  /** Why a command failed: its last line. */
  fail: (message: string, exitCode: number) => void;
  /** Called around every line, so that a progress line can step aside. */
  aside: (wrap: (write: () => void) => void) => void;
  color: boolean;
  /** Requests of this run that were made again, and those of them that the service had throttled. */
  retries: { all: number; throttled: number };
}

/** Of one kind of trouble, so many lines are shown before the rest is only counted; `-v` shows all. */
const SHOWN = 20;
const RANK: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export const createLogger = (io: Io, flags: DisplayFlags): Logger => {
  const color = wantsColor(io, flags);
  const least = RANK[flags.verbose ? "debug" : flags.quiet ? "error" : "info"];
  const times = new Map<string, number>();
  let around = (write: () => void): void => write();
  let timed = false;
  const raw = (text: string): void => around(() => void io.stderr.write(`${text}\n`));
  const line = (text: string, style?: Style): void => {
    const time = timed && text !== "" ? `${io.now().toISOString()} ` : "";
    raw(`${time}${style ? paint(color, style, text) : text}`);
  };

  const text: Log = (level, event, fields) => {
    if (RANK[level] < least) return;
    const seen = (times.get(event) ?? 0) + 1;
    times.set(event, seen);
    if (!flags.verbose && seen > SHOWN) {
      if (seen === SHOWN + 1) line(`More like this (${event}) are counted, not shown; -v shows all.`, "dim");
      return;
    }
    line(oneLine(sentence(event, fields)), level === "error" ? "red" : level === "warn" ? "yellow" : "dim");
  };
  const write = (level: Level, event: string, fields: JsonObject): void =>
    raw(jsonLine({ ts: io.now().toISOString(), level, event, runId: io.runId, ...fields }));
  const json: Log = (level, event, fields) => {
    if (RANK[level] >= least) write(level, event, fields);
  };
  const start = (fields: JsonObject): void => {
    timed = flags.logFormat === "text" && io.stderr.isTTY !== true;
    // What a person has just typed need not be repeated.
    if (flags.logFormat === "json") write("info", "start", fields);
    else text(timed ? "info" : "debug", "start", { runId: io.runId, ...fields });
  };
  const log = flags.logFormat === "json" ? json : text;
  return {
    log: (level, event, fields) => (event === "start" ? start(fields) : log(level, event, fields)),
    record: (event, fields) => {
      if (flags.logFormat === "json") write("info", event, fields);
    },
    fail: (message, exitCode) => {
      if (flags.logFormat === "json") write("error", "failed-run", { message, exitCode });
      else line(printable(`callarchive: ${message}`));
    },
    message: (words, style) => {
      if (!flags.quiet && flags.logFormat === "text")
        for (const part of printable(words).split("\n")) line(part, style);
    },
    aside: (wrap) => {
      around = wrap;
    },
    color,
    retries: { all: 0, throttled: 0 },
  };
};

/** https://no-color.org; FORCE_COLOR as most tools read it. */
const wantsColor = ({ env, stderr }: Io, { color }: DisplayFlags): boolean => {
  if (color !== "auto") return color === "always";
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0";
  return stderr.isTTY === true && env.TERM !== "dumb";
};
