import { Random } from "./random.ts";

/** A callback on its way. */
export interface Delivery {
  /** The requestId of the callback. */
  readonly key: string;
  readonly event: string;
  /** JSON. */
  readonly body: string;
}

export interface OrderOptions {
  /** "natural": the callbacks of a call one after the other. "shuffled": a permutation of those of all calls. */
  order: "natural" | "shuffled";
  /** How often each is delivered; not twice in a row. */
  repeat: number;
  /** Whether some of the chat_record of a call come after its agent_stop. */
  late: boolean;
  seed: number;
}

const shuffle = <T>(items: readonly T[], random: Random): T[] => {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.int(0, last);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
};

/** Moves some chat records of a call to its end. */
const delayed = (call: readonly Delivery[], random: Random): Delivery[] => {
  const isLate = new Set(call.filter(({ event }) => event === "chat_record" && random.chance(0.3)));
  return [...call.filter((delivery) => !isLate.has(delivery)), ...isLate];
};

/** A permutation that does not begin with `previous`, if there is a choice. */
const permutation = (deliveries: readonly Delivery[], previous: Delivery | undefined, random: Random): Delivery[] => {
  const result = shuffle(deliveries, random);
  const [first] = result;
  if (first && first === previous) result.push(...result.splice(0, 1));
  return result;
};

/** The order of deliveries, as lanes: those of a lane are delivered one after the other. The same seed, the same order. */
export const arrange = (calls: readonly (readonly Delivery[])[], options: OrderOptions): Delivery[][] => {
  const { order, repeat, late, seed } = options;
  const random = new Random(seed, 0, 0x0bde);
  const arranged = calls.map((call) => (late ? delayed(call, random) : [...call]));
  const rounds = Array.from({ length: repeat }, (_, round) => round);
  if (order === "natural") return arranged.map((call) => rounds.flatMap(() => call));
  const all = arranged.flat();
  const permutations: Delivery[][] = [];
  for (const _ of rounds) permutations.push(permutation(all, permutations.at(-1)?.at(-1), random));
  return permutations.flat().map((delivery) => [delivery]);
};
