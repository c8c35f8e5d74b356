import type { Ora } from "ora";
import type { Progress, Step } from "../../app/context.ts";
import { count, duration } from "../../core/wording.ts";
import type { Io } from "../io.ts";
import type { DisplayFlags, Logger } from "./logger.ts";

const TTY_EVERY_MS = 100;
const LOG_EVERY_MS = 10_000;

/** A live line on a terminal, otherwise a plain line every ten seconds; nothing with `-q` or `--no-progress`. */
export const createProgress = (io: Io, flags: DisplayFlags, logger: Logger): Progress => {
  if (flags.quiet || !flags.progress) return { show: () => {}, stop: () => {} };
  const clock = createClock(io);
  return !io.stderr.isTTY || flags.logFormat === "json"
    ? plainLines(clock, flags, logger)
    : liveLine(io, clock, logger);
};

const plainLines = (clock: Clock, flags: DisplayFlags, logger: Logger): Progress => ({
  show: (step) => {
    if (!clock.isDue(step, LOG_EVERY_MS)) return;
    const rate = clock.rate(step);
    const { worked: _, ...fields } = step;
    if (flags.logFormat === "json") logger.record("progress", { ...fields, perSecond: Math.round(rate * 10) / 10 });
    else logger.message(words(step, rate));
  },
  stop: () => {},
});

const liveLine = (io: Io, clock: Clock, logger: Logger): Progress => {
  let spinner: Ora | undefined;
  let loading = false;
  let stopped = false;
  // ora is loaded at the first step, because most commands show no progress.
  const load = async (): Promise<void> => {
    loading = true;
    const { default: ora } = await import("ora");
    if (stopped) return;
    spinner = ora({
      stream: io.stderr as NodeJS.WriteStream,
      discardStdin: false,
      color: logger.color ? "cyan" : false,
    });
    logger.wrapWrites((write) => {
      const spinning = spinner?.isSpinning;
      if (spinning) spinner?.clear();
      write();
      if (spinning) spinner?.render();
    });
  };
  return {
    show: (step) => {
      stopped = false;
      if (!spinner) {
        if (!loading) void load();
        return;
      }
      if (!spinner.isSpinning) spinner.start();
      if (clock.isDue(step, TTY_EVERY_MS)) spinner.text = words(step, clock.rate(step));
    },
    stop: () => {
      stopped = true;
      loading = spinner !== undefined;
      spinner?.stop();
      logger.wrapWrites((write) => write());
    },
  };
};

type Clock = ReturnType<typeof createClock>;

const createClock = (io: Io) => {
  let stage = "";
  let startedAt = 0;
  let shownAt = 0;
  return {
    /** Whether a line is due: `everyMs` after the last one, or after the beginning of the stage. */
    isDue: (step: Step, everyMs: number): boolean => {
      const now = io.now().getTime();
      if (step.stage !== stage) {
        stage = step.stage;
        startedAt = now;
        shownAt = now;
      }
      if (now - shownAt < everyMs) return false;
      shownAt = now;
      return true;
    },
    /** Per second. */
    rate: (step: Step): number => ((step.worked ?? step.done) * 1000) / Math.max(1, io.now().getTime() - startedAt),
  };
};

const words = ({ stage, done, total, troubled }: Step, rate: number): string => {
  const far = total === undefined ? `${count(done)} so far` : `${count(done)} / ${count(total)}`;
  const left = total === undefined || rate <= 0 ? "" : `, ${duration(((total - done) / rate) * 1000)} left`;
  return `${stage}: ${far}, ${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s${left}${troubled > 0 ? `, ${count(troubled)} without a document` : ""}`;
};
