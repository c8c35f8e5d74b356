import { createRollingWindow } from "./rolling-window.ts";

/** Calls per second at the start of a run: the quota of a new account. */
const START_RATE = 20;
/** Before the first congestion each answer raises the rate by this, in calls/s: threefold in a round trip of 100 ms. */
const GROWTH_RATE = 20;
/** The lowest rate, in calls/s: some calls must go out to notice when the service works again. */
const MIN_RATE = 1;
/** CUBIC's constant, in calls/s per cubic second: the rise above the old rate in the first second after reaching it. */
const STEEPNESS = 1.5;
/** The shortest recovery of a rate, in seconds: with a faster one, a low rate would get more refusals than answers. */
const MIN_RECOVERY_S = 1.5;
/** The rate is halved at most once in this time, in milliseconds; answers within it count as recent. */
const CUT_INTERVAL_MS = 1000;

/** While the rate grows, more refusals than this share of all answers are congestion. */
const SEVERE_SHARE = 0.25;
/** Below that share, this many refusals within the window start a trial: it tests if the rate is their cause. */
const REFUSALS_BEFORE_TRIAL = 20;
const TRIAL_WINDOW_MS = 10_000;
/**
A trial ends once EXPECTED_REFUSALS would have occurred at the old share. If at most MAX_CHANCE_REFUSALS occurred, the
rate was the cause.
*/
const EXPECTED_REFUSALS = 7;
const MAX_CHANCE_REFUSALS = 1;
/** Answers in the first milliseconds of a trial do not count, because the quota recovers. */
const SETTLE_MS = 300;
/** Pause before the next trial, in milliseconds; it doubles after each trial. */
const TRIAL_PAUSE_MS = 30_000;

/** A call that was sent. */
export interface SentRequest {
  /** When it was sent, in milliseconds of the clock `now`. */
  at: number;
  /** Whether it had to wait for the rate. */
  waited: boolean;
}

/** A cubic curve of the rate, which is lowest at `at`. */
interface Curve {
  at: number;
  /** The rate at which the curve is flat, in calls/s. */
  plateau: number;
  /** Seconds from `at` until `plateau` is reached. */
  secondsToTop: number;
  steepness: number;
}

/** The curve from half of `top` back to `top`, with falling speed, and then above it, with rising speed. */
const recoveryCurve = (top: number, at: number): Curve => {
  const k = Math.max(MIN_RECOVERY_S, Math.cbrt(top / 2 / STEEPNESS));
  return { at, plateau: top, secondsToTop: k, steepness: top / 2 / k ** 3 };
};

/**
How many calls per second may be sent, learned from their answers. `now` is in milliseconds.

At first each answer raises the rate, as in TCP's slow start. The first congestion ends that: the rate becomes half of
the accepted calls per second. After that the rate follows CUBIC's curve. A refusal halves it, but only once for all
calls that were sent before. Low rates recover faster than high ones, so that processes with a common quota get equal
parts of it.

A service that refuses a few calls at any rate must not stop the run. So while refusals are few, the rate is halved
only for a trial, and restored when the share of refusals stays the same.
*/
export const createCongestionControl = ({
  ceiling = Number.POSITIVE_INFINITY,
  now,
}: {
  ceiling?: number;
  now: () => number;
}) => {
  const lastSecond = createRollingWindow(CUT_INTERVAL_MS);
  const trialWindow = createRollingWindow(TRIAL_WINDOW_MS);
  let growthRate = START_RATE;
  let trialPause = TRIAL_PAUSE_MS;
  let noTrialUntil = 0;
  let trial: { curve: Curve; share: number; rate: number; answers: number; refusals: number } | undefined;
  let curve: Curve | undefined;

  const perSecond = (): number => {
    if (!curve) return Math.min(ceiling, Math.max(MIN_RATE, growthRate));
    const seconds = (now() - curve.at) / 1000;
    return Math.min(ceiling, Math.max(MIN_RATE, curve.plateau + curve.steepness * (seconds - curve.secondsToTop) ** 3));
  };
  /** A curve from the accepted calls, because the rate during growth was far too high. */
  const curveFromAccepted = (): Curve =>
    recoveryCurve(Math.min(perSecond(), lastSecond.sums(now()).accepted || perSecond()), now());

  const startTrial = (): void => {
    const { accepted, refused } = trialWindow.sums(now());
    trial = {
      curve: curveFromAccepted(),
      share: refused / (accepted + refused),
      rate: growthRate,
      answers: 0,
      refusals: 0,
    };
    growthRate = trial.curve.plateau / 2;
  };
  const countInTrial = (refusals: 0 | 1): void => {
    if (!trial || now() < trial.curve.at + SETTLE_MS) return;
    trial.answers += 1;
    trial.refusals += refusals;
    if (trial.answers * trial.share < EXPECTED_REFUSALS) return;
    if (trial.refusals <= MAX_CHANCE_REFUSALS) curve = trial.curve;
    growthRate = trial.rate;
    noTrialUntil = now() + trialPause;
    trialPause *= 2;
    trial = undefined;
  };
  const isSevere = (): boolean => {
    const { accepted, refused } = lastSecond.sums(now());
    const tolerated = SEVERE_SHARE * (accepted + refused);
    // Two standard deviations more, so that a few early refusals by chance do not end the growth.
    return refused > tolerated + 2 * Math.sqrt(tolerated);
  };

  return {
    perSecond,
    sent: (waited: boolean): SentRequest => ({ at: now(), waited }),
    accepted: ({ waited }: SentRequest): void => {
      lastSecond.add(now(), "accepted");
      trialWindow.add(now(), "accepted");
      if (!curve && !trial && waited) growthRate += GROWTH_RATE;
      countInTrial(0);
    },
    refused: ({ at }: SentRequest): void => {
      // Sent before the rate was last halved: it says nothing about the current rate.
      if (at <= ((curve ?? trial?.curve)?.at ?? -1)) return;
      lastSecond.add(now(), "refused");
      trialWindow.add(now(), "refused");
      if (curve) {
        if (now() >= curve.at + CUT_INTERVAL_MS) curve = recoveryCurve(perSecond(), now());
        return;
      }
      if (isSevere()) {
        curve = curveFromAccepted();
        trial = undefined;
      } else if (trial) countInTrial(1);
      else if (now() >= noTrialUntil && trialWindow.sums(now()).refused >= REFUSALS_BEFORE_TRIAL) startTrial();
    },
  };
};
