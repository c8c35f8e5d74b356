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

/** Writes messages and logs to stderr, with control characters escaped. */
export interface Logger {
  /**
  Logs an event; debug events only with `-v`.

  From the event `start` on, text lines begin with the time, except on a terminal.
  */
  log: Log;
  /** Writes a line to JSON logs only, also with `-q`; `message` tells people the same. */
  record: (event: string, fields: JsonObject) => void;
  /** Writes lines for people: not with `-q`, and not in JSON logs. */
  message: (text: string, style?: Style) => void;
  /** Writes why a command failed, as its last line. */
  fail: (message: string, exitCode: number) => void;
  /** Sets a function that every write goes through, so that it can hide the progress line meanwhile. */
  wrapWrites: (wrap: (write: () => void) => void) => void;
  color: boolean;
  /** How many requests of this run were repeated, and how many of these because of throttling. */
  retries: { all: number; throttled: number };
}

/** How many lines of one event are shown; `-v` shows all. */
const MOST_SHOWN = 20;
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
    if (!flags.verbose && seen > MOST_SHOWN) {
      if (seen === MOST_SHOWN + 1) line(`More lines like this (${event}) are not shown; -v shows all.`, "dim");
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
    // On a terminal only with -v: the user has just typed the command.
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
    wrapWrites: (wrap) => {
      around = wrap;
    },
    color,
    retries: { all: 0, throttled: 0 },
  };
};

/** Follows https://no-color.org, and FORCE_COLOR like most tools. */
const wantsColor = ({ env, stderr }: Io, { color }: DisplayFlags): boolean => {
  if (color !== "auto") return color === "always";
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0";
  return stderr.isTTY === true && env.TERM !== "dumb";
};
