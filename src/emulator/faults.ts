import { Random } from "./random.ts";

const names = ["throttle", "error", "reset", "expire", "cut", "slow", "shift", "vanish", "down"] as const;
const limits = ["cap", "clip"] as const;
export type FaultName = (typeof names)[number];
type LimitName = (typeof limits)[number];

/** What goes wrong, and how often: each value is a probability from 0 to 1, but for `cap` and `clip`. */
export interface Faults {
  /** An API call is answered with Throttling.User (400, 429 and 503 in turn). */
  throttle?: number;
  /** A 500, 503 or 502 (as JSON, XML, HTML or nothing at all, in turn). */
  error?: number;
  /** The connection is reset before the answer or in the middle of it. */
  reset?: number;
  /** A link is handed out that has already expired. */
  expire?: number;
  /** A download ends before its declared length. */
  cut?: number;
  /** An answer comes 300 ms late. */
  slow?: number;
  /** A call appears in a window between two of its pages. */
  shift?: number;
  /** A call of a page already read vanishes from all lists between two pages. */
  vanish?: number;
  /** The connection is closed at once. */
  down?: number;
  /** A page holds at most so many calls, whatever is asked for; the next page goes on after them. */
  cap?: number;
  /** The same, but the next page goes on after those that were asked for: the calls between are on no page. */
  clip?: number;
}

const isName = (name: string): name is FaultName => (names as readonly string[]).includes(name);
const isLimit = (name: string): name is LimitName => (limits as readonly string[]).includes(name);

/** Reads "throttle=0.05,error=0.02". Throws an Error that says what is wrong. */
export const parseFaults = (text: string): Faults => {
  const faults: Faults = {};
  for (const part of text.split(",")) {
    if (part.trim() === "") continue;
    const [name = "", value = ""] = part.split("=", 2).map((piece) => piece.trim());
    if (isLimit(name)) {
      if (!/^[1-9]\d*$/.test(value)) throw new Error(`The fault ${name} needs a number of calls, like ${name}=50.`);
      faults[name] = Number(value);
      continue;
    }
    if (!isName(name)) throw new Error(`Unknown fault "${name}". Known faults: ${[...names, ...limits].join(", ")}.`);
    const probability = Number(value);
    if (value === "" || !(probability >= 0 && probability <= 1))
      throw new Error(`The fault ${name} needs a probability from 0 to 1, like ${name}=0.05; got "${value}".`);
    faults[name] = probability;
  }
  return faults;
};

/** Decides, by a seeded stream, whether a fault happens now. */
export class Dice {
  faults: Faults;
  readonly random: Random;
  #turns = 0;

  constructor(faults: Faults, seed: number) {
    this.faults = faults;
    this.random = new Random(seed, 0, 0xd1ce);
  }

  roll(name: FaultName): boolean {
    const probability = this.faults[name] ?? 0;
    return probability > 0 && this.random.chance(probability);
  }

  /** The next of the variants, in turn, so that each of them is seen. */
  turn<T>(variants: readonly [T, ...T[]]): T {
    return variants[this.#turns++ % variants.length] ?? variants[0];
  }
}
