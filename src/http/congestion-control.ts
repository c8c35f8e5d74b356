import { createRollingWindow } from "./rolling-window.ts";

/** Calls per second at the start of a run: what a new account bears. */
const START_RATE = 20;
/** By so much an answer raises the rate until the first congestion, in calls/s: tripled in a round trip of 100 ms. */
const GROWTH_RATE = 20;
/** Never slower, in calls/s: somebody has to find out that the service is back. */
const MIN_RATE = 1;
/** CUBIC's constant, in calls/s per cubic second: so much beyond the old rate a second after it is reached again. */
const STEEPNESS = 1.5;
/** A rate of a few calls per second takes at least so long to come back: its refusals would outnumber its answers. */
const MIN_RECOVERY_S = 1.5;
/** The rate is cut at most once in that time; what was answered within it counts. */
const CUT_INTERVAL_MS = 1000;

/** While growing, refusals are congestion when they are more than this share of all answers. */
const SEVERE_SHARE = 0.25;
/** After so many refusals in the last milliseconds that were fewer, a trial tells whether the rate is their reason. */
const REFUSALS_BEFORE_TRIAL = 20;
const TRIAL_WINDOW_MS = 10_000;
/** It ends when so many refusals were to be expected if it is not; so few of them come by chance if it is. */
const EXPECTED_REFUSALS = 7;
const MAX_CHANCE_REFUSALS = 1;
/** What is answered in the first milliseconds of a trial does not count: the quota recovers. */
const SETTLE_MS = 300;
/** The next trial comes so much later, and each further one twice as much. */
const TRIAL_PAUSE_MS = 30_000;

/** One call on its way, as it was let go. */
export interface SentRequest {
  /** Milliseconds. */
  at: number;
  /** The rate was what held it back. */
  waited: boolean;
}

interface Curve {
  at: number;
  /** Where it levels off, in calls/s. */
  plateau: number;
  /** Seconds until then. */
  secondsToTop: number;
  steepness: number;
}

/** From half of `top` back to it, slower and slower, and then on, faster and faster. */
const recoveryCurve = (top: number, at: number): Curve => {
  const k = Math.max(MIN_RECOVERY_S, Math.cbrt(top / 2 / STEEPNESS));
  return { at, plateau: top, secondsToTop: k, steepness: top / 2 / k ** 3 };
};

/**
How many calls per second may be sent, learnt from what comes of them. Time is `now`, in milliseconds.

At first each answer raises the rate, as in TCP's slow start. Congestion ends that: the rate becomes half of what got
through. From then on it follows CUBIC's curve, and each refusal halves it, once for all calls that were under way. Small
shares come back sooner than large ones, so that processes that share a quota end up with equal parts of it.

A service that refuses a few calls at any rate must not bring the run to a standstill: as long as they are few, the rate
is only halved on trial, and given back when as many are refused nevertheless.
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
  /** From what got through: what was sent in the growth was far too much. */
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
    // Two standard deviations: a run does not end its growth because its first calls were unlucky.
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
      // It was sent before the last cut, so it tells nothing new.
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
