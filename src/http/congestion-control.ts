import { createRollingWindow } from "./rolling-window.ts";

/** Calls per second at the start of a run: what a new account bears. */
const START = 20;
/** By so much an answer raises the rate until the first congestion, in calls/s: tripled in a round trip of 100 ms. */
const GROWTH = 20;
/** Never slower, in calls/s: somebody has to find out that the service is back. */
const FLOOR = 1;
/** CUBIC's constant, in calls/s per cubic second: so much beyond the old rate a second after it is reached again. */
const STEEPNESS = 1.5;
/** A rate of a few calls per second takes at least so long to come back: its refusals would outnumber its answers. */
const QUICKEST_S = 1.5;
/** The rate is cut at most once in that time; what was answered within it counts. */
const EPOCH_MS = 1000;

/** While growing, refusals are congestion when they are more than this share of all answers. */
const SEVERE = 0.25;
/** After so many refusals in the last milliseconds that were fewer, a trial tells whether the rate is their reason. */
const DOUBTS = 20;
const LATELY_MS = 10_000;
/** It ends when so many refusals were to be expected if it is not; so few of them come by chance if it is. */
const EXPECTED = 7;
const CHANCE = 1;
/** What is answered in the first milliseconds of a trial does not count: the quota recovers. */
const SETTLING_MS = 300;
/** The next trial comes so much later, and each further one twice as much. */
const TRUST_MS = 30_000;

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
  top: number;
  /** Seconds until then. */
  k: number;
  steepness: number;
}

/** From half of `top` back to it, slower and slower, and then on, faster and faster. */
const halved = (top: number, at: number): Curve => {
  const k = Math.max(QUICKEST_S, Math.cbrt(top / 2 / STEEPNESS));
  return { at, top, k, steepness: top / 2 / k ** 3 };
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
  const recent = createRollingWindow(EPOCH_MS);
  const lately = createRollingWindow(LATELY_MS);
  let growing = START;
  let trust = TRUST_MS;
  let trustedUntil = 0;
  let trial: { curve: Curve; share: number; rate: number; answers: number; refusals: number } | undefined;
  let curve: Curve | undefined;

  const perSecond = (): number => {
    if (!curve) return Math.min(ceiling, Math.max(FLOOR, growing));
    const seconds = (now() - curve.at) / 1000;
    return Math.min(ceiling, Math.max(FLOOR, curve.top + curve.steepness * (seconds - curve.k) ** 3));
  };
  /** From what got through: what was sent in the growth was far too much. */
  const learnt = (): Curve => halved(Math.min(perSecond(), recent.sums(now()).accepted || perSecond()), now());

  const tryHalf = (): void => {
    const { accepted, refused } = lately.sums(now());
    trial = { curve: learnt(), share: refused / (accepted + refused), rate: growing, answers: 0, refusals: 0 };
    growing = trial.curve.top / 2;
  };
  const witness = (refusals: 0 | 1): void => {
    if (!trial || now() < trial.curve.at + SETTLING_MS) return;
    trial.answers += 1;
    trial.refusals += refusals;
    if (trial.answers * trial.share < EXPECTED) return;
    if (trial.refusals <= CHANCE) curve = trial.curve;
    growing = trial.rate;
    trustedUntil = now() + trust;
    trust *= 2;
    trial = undefined;
  };
  const severe = (): boolean => {
    const { accepted, refused } = recent.sums(now());
    const bearable = SEVERE * (accepted + refused);
    // Two standard deviations: a run does not end its growth because its first calls were unlucky.
    return refused > bearable + 2 * Math.sqrt(bearable);
  };

  return {
    perSecond,
    sent: (waited: boolean): SentRequest => ({ at: now(), waited }),
    accepted: ({ waited }: SentRequest): void => {
      recent.add(now(), "accepted");
      lately.add(now(), "accepted");
      if (!curve && !trial && waited) growing += GROWTH;
      witness(0);
    },
    refused: ({ at }: SentRequest): void => {
      // It was sent before the last cut, so it tells nothing new.
      if (at <= ((curve ?? trial?.curve)?.at ?? -1)) return;
      recent.add(now(), "refused");
      lately.add(now(), "refused");
      if (curve) {
        if (now() >= curve.at + EPOCH_MS) curve = halved(perSecond(), now());
        return;
      }
      if (severe()) {
        curve = learnt();
        trial = undefined;
      } else if (trial) witness(1);
      else if (now() >= trustedUntil && lately.sums(now()).refused >= DOUBTS) tryHalf();
    },
  };
};
