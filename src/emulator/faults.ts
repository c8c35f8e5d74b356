import { Random } from "./random.ts";

const names = ["throttle", "error", "reset", "expire", "cut", "slow", "shift", "vanish", "repeat", "down"] as const;
const limits = ["cap", "clip"] as const;
const counts = ["breaks", "breakAfter"] as const;
export type FaultName = (typeof names)[number];
type LimitName = (typeof limits)[number];
type CountName = (typeof counts)[number];

/** The faults to simulate. Each value is a probability from 0 to 1, except `cap`, `clip`, `breaks` and `breakAfter`. */
export interface Faults {
  /** An API call is answered with Throttling.User (400, 429 and 503 in turn). */
  throttle?: number;
  /** A 500, 503 or 502 (as JSON, XML, HTML or empty, in turn). */
  error?: number;
  /** The connection is reset before the answer or in the middle of it. */
  reset?: number;
  /** A link has expired when it is returned. */
  expire?: number;
  /** A download ends before its declared length. */
  cut?: number;
  /** An answer comes 300 ms late. */
  slow?: number;
  /** A call appears in a window between two of its pages, an entry in the query log, a dialogue in a session. */
  shift?: number;
  /** A call of a page already read vanishes from all lists between two pages. */
  vanish?: number;
  /** A page of traced events, of the query log or of a bucket gives the cursor that it was requested with, as if more followed; a page of dialogues is the one before it. */
  repeat?: number;
  /** The connection is closed at once. */
  down?: number;
  /** The most calls or dialogues on a page, whatever is requested; the next page continues after them. */
  cap?: number;
  /** The most calls on a page; the next one continues after the requested number, so the calls between are on no page. */
  clip?: number;
  /** How many bodies of objects still break off. It counts down. */
  breaks?: number;
  /** The bytes of a body before it breaks off. @default half of the body */
  breakAfter?: number;
}

const isName = (name: string): name is FaultName => (names as readonly string[]).includes(name);
const isLimit = (name: string): name is LimitName => (limits as readonly string[]).includes(name);
const isCount = (name: string): name is CountName => (counts as readonly string[]).includes(name);

/** Parses "throttle=0.05,error=0.02". @throws Error for unknown faults and wrong values */
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
    if (isCount(name)) {
      if (!/^\d{1,15}$/.test(value)) throw new Error(`The fault ${name} needs a whole number, like ${name}=5.`);
      faults[name] = Number(value);
      continue;
    }
    if (!isName(name))
      throw new Error(`Unknown fault "${name}". Known faults: ${[...names, ...limits, ...counts].join(", ")}.`);
    const probability = Number(value);
    if (value === "" || !(probability >= 0 && probability <= 1))
      throw new Error(`The fault ${name} needs a probability from 0 to 1, like ${name}=0.05; got "${value}".`);
    faults[name] = probability;
  }
  return faults;
};

/** Decides with a seeded random stream whether a fault happens. */
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

  /** Whether one more body of an object breaks off, and after how many of its bytes. */
  breakOff(bytes: number): number | undefined {
    if (!this.faults.breaks) return undefined;
    this.faults.breaks -= 1;
    return Math.min(bytes, this.faults.breakAfter ?? Math.floor(bytes / 2));
  }

  /** Returns the variants in turn, so that each of them occurs. */
  turn<T>(variants: readonly [T, ...T[]]): T {
    return variants[this.#turns++ % variants.length] ?? variants[0];
  }
}
