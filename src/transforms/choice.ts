import { unitHash } from "./split.ts";

/** Why a sample is not in the choice: the first of these that leaves it out. */
export const CHOICE_STEPS = ["per-agent", "balance", "sample"] as const;
export type ChoiceStep = (typeof CHOICE_STEPS)[number];

export interface ChoiceLimits {
  /** At most so many samples of each agent. */
  perAgent?: number | undefined;
  /** As many samples of each group. */
  balance?: boolean;
  /** At most so many samples in all; with `balance`, divided among the groups. */
  most?: number | undefined;
}

/** A sample that can be chosen. */
export interface Candidate {
  id: string;
  agent: string;
  /** What `balance` divides by. */
  group: string;
}

/** Finds why a sample is left out; undefined for one that is chosen. A sample that was not added is left out. */
export type Choice = (id: string) => ChoiceStep | undefined;

const CHOSEN = 0;

/**
Chooses samples by `unitHash(sample:seed:sampleId)`: of those that a limit is about, the ones with the smallest hashes.

The choice does not depend on order or machine. First each agent is limited; then the groups: without `most` to the size of
the smallest, with it the smaller groups stay whole and the larger ones share what is left. Samples with equal hashes (two
in 2^48) are chosen together. Takes 20 bytes per sample while they are added, then 9.
*/
export const createChoice = (seed: string, { perAgent, balance = false, most }: ChoiceLimits) => {
  const keyOf = (id: string): number => unitHash(`sample:${seed}:${id}`);
  const agents = createNumbers();
  const groups = createNumbers();
  let length = 0;
  let keys = new Float64Array(1024);
  let agentOf = new Uint32Array(1024);
  let groupOf = new Uint32Array(1024);

  const add = ({ id, agent, group }: Candidate): void => {
    if (length === keys.length) {
      keys = larger(keys, new Float64Array(2 * length));
      agentOf = larger(agentOf, new Uint32Array(2 * length));
      groupOf = larger(groupOf, new Uint32Array(2 * length));
    }
    keys[length] = keyOf(id);
    agentOf[length] = agents.of(agent);
    groupOf[length] = groups.of(group);
    length += 1;
  };

  /** By hash, smallest first. */
  const choose = (): Choice => {
    const order = new Uint32Array(length).map((_, at) => at);
    order.sort((one, other) => (keys[one] ?? 0) - (keys[other] ?? 0));
    const steps = new Uint8Array(length);
    const limit = (step: ChoiceStep, ofEach: (at: number) => number, quotas: readonly number[]): void => {
      const taken = new Float64Array(quotas.length);
      for (const at of order) {
        if (steps[at] !== CHOSEN) continue;
        const each = ofEach(at);
        if ((taken[each] ?? 0) >= (quotas[each] ?? 0)) steps[at] = 1 + CHOICE_STEPS.indexOf(step);
        else taken[each] = (taken[each] ?? 0) + 1;
      }
    };
    if (perAgent !== undefined)
      limit(
        "per-agent",
        (at) => agentOf[at] ?? 0,
        agents.names().map(() => perAgent),
      );
    if (balance) {
      const sizes = new Array<number>(groups.names().length).fill(0);
      for (let at = 0; at < length; at++)
        if (steps[at] === CHOSEN) sizes[groupOf[at] ?? 0] = (sizes[groupOf[at] ?? 0] ?? 0) + 1;
      limit("balance", (at) => groupOf[at] ?? 0, quotasOf(sizes, groups.names(), most));
    } else if (most !== undefined) limit("sample", () => 0, [most]);

    const sorted = keys.slice(0, length).sort();
    const bySorted = new Uint8Array(length);
    order.forEach((at, place) => {
      bySorted[place] = steps[at] ?? 0;
    });
    return (id) => {
      const place = placeOf(sorted, keyOf(id));
      return place < 0 ? "sample" : CHOICE_STEPS[(bySorted[place] ?? 0) - 1];
    };
  };
  return { add, choose };
};

/** The number of samples that each group may have. */
const quotasOf = (sizes: readonly number[], names: readonly string[], most: number | undefined): number[] => {
  const present = sizes.filter((size) => size > 0);
  if (most === undefined) return sizes.map(() => Math.min(...present));
  // Smallest first: what a small group leaves, the larger ones share.
  const order = sizes.map((_, at) => at).sort((one, other) => compare(sizes, names, one, other));
  const quotas = sizes.map(() => 0);
  let left = most;
  order.forEach((at, place) => {
    const quota = Math.min(sizes[at] ?? 0, Math.floor(left / (order.length - place)));
    quotas[at] = quota;
    left -= quota;
  });
  return quotas;
};

const compare = (sizes: readonly number[], names: readonly string[], one: number, other: number): number =>
  (sizes[one] ?? 0) - (sizes[other] ?? 0) || ((names[one] ?? "") < (names[other] ?? "") ? -1 : 1);

/** Numbers for names, from 0 on. */
const createNumbers = () => {
  const numbers = new Map<string, number>();
  return {
    of: (name: string): number => {
      const number = numbers.get(name) ?? numbers.size;
      numbers.set(name, number);
      return number;
    },
    names: (): string[] => [...numbers.keys()],
  };
};

const larger = <Numbers extends Float64Array | Uint32Array>(old: Numbers, empty: Numbers): Numbers => {
  empty.set(old);
  return empty;
};

/** The place of a value in sorted values; -1 when it is not there. */
const placeOf = (sorted: Float64Array, value: number): number => {
  let [from, to] = [0, sorted.length - 1];
  while (from <= to) {
    const middle = (from + to) >> 1;
    const found = sorted[middle] ?? 0;
    if (found === value) return middle;
    if (found < value) from = middle + 1;
    else to = middle - 1;
  }
  return -1;
};

/** How long dialogs are, in messages without the system turn: the groups of `--balance length`. */
export const lengthGroup = (messages: readonly { role: string }[]): string => {
  const turns = messages.filter(({ role }) => role !== "system").length;
  const most = [4, 8, 16, 32].find((limit) => turns <= limit);
  return most === undefined ? "longer" : `up to ${most}`;
};
