import type { Io } from "../io.ts";
import { count, duration } from "../../core/wording.ts";
import type { DisplayFlags, Talk } from "./logger.ts";

/** How far a stage is. */
export interface Step {
  stage: string;
  done: number;
  /** Of those, what took work: the rate is of these. @default all */
  worked?: number;
  /** How many there will be; absent while that is not known. */
  total?: number;
  troubled: number;
}

export interface Progress {
  show(step: Step): void;
  stop(): void;
}

const TTY_EVERY_MS = 100;
const LOG_EVERY_MS = 10_000;

/** A live line on a terminal, otherwise a plain line now and then; nothing with `-q` or `--no-progress`. */
export const createProgress = async (io: Io, flags: DisplayFlags, talk: Talk): Promise<Progress> => {
  if (flags.quiet || !flags.progress) return { show: () => {}, stop: () => {} };
  const clock = createClock(io);
  if (!io.stderr.isTTY || flags.logFormat === "json") {
    return {
      show: (step) => {
        if (!clock.due(step, LOG_EVERY_MS)) return;
        const rate = clock.rate(step);
        const { worked: _, ...shown } = step;
        if (flags.logFormat === "json") talk.record("progress", { ...shown, perSecond: Math.round(rate * 10) / 10 });
        else talk.say(words(step, rate));
      },
      stop: () => {},
    };
  }
  const { default: ora } = await import("ora");
  const spinner = ora({
    stream: io.stderr as NodeJS.WriteStream,
    discardStdin: false,
    color: talk.color ? "cyan" : false,
  });
  talk.aside((write) => {
    const spinning = spinner.isSpinning;
    if (spinning) spinner.clear();
    write();
    if (spinning) spinner.render();
  });
  return {
    show: (step) => {
      if (!spinner.isSpinning) spinner.start();
      if (clock.due(step, TTY_EVERY_MS)) spinner.text = words(step, clock.rate(step));
    },
    stop: () => {
      spinner.stop();
      talk.aside((write) => write());
    },
  };
};

const createClock = (io: Io) => {
  let stage = "";
  let begun = 0;
  let shown = 0;
  return {
    /** Whether so long has passed since the last showing; the first of a stage waits too, it has nothing to say. */
    due: (step: Step, everyMs: number): boolean => {
      const now = io.now().getTime();
      if (step.stage !== stage) {
        stage = step.stage;
        begun = now;
        shown = now;
      }
      if (now - shown < everyMs) return false;
      shown = now;
      return true;
    },
    /** Per second. */
    rate: (step: Step): number => ((step.worked ?? step.done) * 1000) / Math.max(1, io.now().getTime() - begun),
  };
};

const words = ({ stage, done, total, troubled }: Step, rate: number): string => {
  const far = total === undefined ? `${count(done)} so far` : `${count(done)} / ${count(total)}`;
  const left = total === undefined || rate <= 0 ? "" : `, ${duration(((total - done) / rate) * 1000)} left`;
  return `${stage}: ${far}, ${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s${left}${troubled > 0 ? `, ${count(troubled)} without a document` : ""}`;
};
