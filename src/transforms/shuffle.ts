import { unitHash } from "./split.ts";

/**
The order of shuffled samples: by `unitHash(shuffle:seed:sampleId)`, on every machine the same.

Samples that come later are put between the old ones, whose order among themselves never changes. `add` gives each its
number, from 0; `order` gives the numbers as they are to be written. 12 bytes a sample: the samples themselves stay where
they are, for example in a file whose line offsets the caller knows.
*/
export const createShuffle = (seed: string) => {
  let keys = new Float64Array(1024);
  let length = 0;
  return {
    add: (sampleId: string): number => {
      if (length === keys.length) {
        const larger = new Float64Array(2 * length);
        larger.set(keys);
        keys = larger;
      }
      keys[length] = unitHash(`shuffle:${seed}:${sampleId}`);
      return length++;
    },
    order: (): Uint32Array => {
      const key = (index: number): number => keys[index] ?? 0;
      return new Uint32Array(length)
        .map((_, index) => index)
        .sort((one, other) => key(one) - key(other) || one - other);
    },
  };
};

/**
Keeps `limit` of the samples, as good as drawn by chance: those with the smallest `unitHash(sample:seed:sampleId)`.

Unlike a reservoir drawn by dice, the choice depends neither on order nor on machine, and hardly on growth: a sample
leaves only when a new one with a smaller hash comes, and never comes back. A larger limit keeps all that a smaller one
keeps. Memory holds `limit` values and no more, in a heap.
*/
export const createSampler = <Value>(seed: string, limit: number) => {
  /** The largest hash on top: a binary heap. */
  const heap: Drawn<Value>[] = [];
  let arrivals = 0;
  return {
    /** The value that has no place any more: an older one, or this very one. Undefined while there is room. */
    add: (sampleId: string, value: Value): { lost: Value } | undefined => {
      const drawn = { key: unitHash(`sample:${seed}:${sampleId}`), id: sampleId, arrival: arrivals++, value };
      if (heap.length < limit) {
        heap.push(drawn);
        siftUp(heap);
        return undefined;
      }
      const top = heap[0];
      if (top === undefined || !isBefore(drawn, top)) return { lost: value };
      heap[0] = drawn;
      siftDown(heap);
      return { lost: top.value };
    },
    /** What is kept, in the order that it came in. */
    values: (): Value[] => [...heap].sort((one, other) => one.arrival - other.arrival).map(({ value }) => value),
  };
};

interface Drawn<Value> {
  key: number;
  id: string;
  arrival: number;
  value: Value;
}

/** Equal hashes, one in 2^48, are told apart by id: by arrival they would depend on order. */
const isBefore = <Value>(one: Drawn<Value>, other: Drawn<Value>): boolean =>
  one.key < other.key || (one.key === other.key && one.id < other.id);

const siftUp = <Value>(heap: Drawn<Value>[]): void => {
  for (let at = heap.length - 1; at > 0; ) {
    const parent = (at - 1) >> 1;
    if (!swapped(heap, parent, at)) return;
    at = parent;
  }
};

const siftDown = <Value>(heap: Drawn<Value>[]): void => {
  for (let at = 0; ; ) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
    if (left === undefined) return;
    const larger = right !== undefined && isBefore(left, right) ? 2 * at + 2 : 2 * at + 1;
    if (!swapped(heap, at, larger)) return;
    at = larger;
  }
};

/** Puts the larger one on top. */
const swapped = <Value>(heap: Drawn<Value>[], parent: number, child: number): boolean => {
  const [upper, lower] = [heap[parent], heap[child]];
  if (upper === undefined || lower === undefined || !isBefore(upper, lower)) return false;
  heap[parent] = lower;
  heap[child] = upper;
  return true;
};
