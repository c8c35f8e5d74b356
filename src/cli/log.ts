import type { Level, Log } from "../core/ports.ts";
import type { JsonObject } from "../core/transcript.ts";
import type { Io } from "./io.ts";
import { paint, sentence } from "./render.ts";

export interface DisplayFlags {
  logFormat: "text" | "json";
  quiet?: boolean;
  verbose?: boolean;
  progress: boolean;
  color: "auto" | "never" | "always";
}

/** Talk, all of it to stderr. */
export interface Talk {
  /** Something that happened; `-v` shows the debug ones. */
  log: Log;
  /** A line of JSON logs alone, also with `-q`, where `say` tells people the same. */
  record: (event: string, fields: JsonObject) => void;
  /** Lines for the reader alone: not shown with `-q`, nor in JSON logs. */
  say: (text: string) => void;
  /** The last word of a command that failed. */
  fail: (message: string, exitCode: number) => void;
  /** Called around every line, so that a progress line can step aside. */
  aside: (wrap: (write: () => void) => void) => void;
  color: boolean;
}

/** Of one kind of trouble, so many lines are shown before the rest is only counted; `-v` shows all. */
const SHOWN = 20;
const RANK: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export const createTalk = (io: Io, flags: DisplayFlags): Talk => {
  const color = wantsColor(io, flags);
  const least = RANK[flags.verbose ? "debug" : flags.quiet ? "error" : "info"];
  const times = new Map<string, number>();
  let around = (write: () => void): void => write();
  const line = (text: string): void => around(() => void io.stderr.write(`${text}\n`));

  const text: Log = (level, event, fields) => {
    if (RANK[level] < least) return;
    const seen = (times.get(event) ?? 0) + 1;
    times.set(event, seen);
    if (!flags.verbose && seen > SHOWN) {
      if (seen === SHOWN + 1)
        line(paint(color, "dim", `More like this (${event}) are counted, not shown; -v shows all.`));
      return;
    }
    line(paint(color, level === "error" ? "red" : level === "warn" ? "yellow" : "dim", sentence(event, fields)));
  };
  const write = (level: Level, event: string, fields: JsonObject): void =>
    line(JSON.stringify({ ts: io.now().toISOString(), level, event, ...fields }));
  const json: Log = (level, event, fields) => {
    if (RANK[level] >= least) write(level, event, fields);
  };
  return {
    log: flags.logFormat === "json" ? json : text,
    record: (event, fields) => {
      if (flags.logFormat === "json") write("info", event, fields);
    },
    fail: (message, exitCode) => {
      if (flags.logFormat === "json") write("error", "failed-run", { message, exitCode });
      else line(`callarchive: ${message}`);
    },
    say: (words) => {
      if (!flags.quiet && flags.logFormat === "text") line(words);
    },
    aside: (wrap) => {
      around = wrap;
    },
    color,
  };
};

/** https://no-color.org; FORCE_COLOR as most tools read it. */
const wantsColor = ({ env, stderr }: Io, { color }: DisplayFlags): boolean => {
  if (color !== "auto") return color === "always";
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0";
  return stderr.isTTY === true && env.TERM !== "dumb";
};
