import { unitHash } from "./split.ts";

/**
The order of shuffled samples: by `unitHash(shuffle:seed:sampleId)`, the same on every machine.

New samples are put between the old ones; the order of the old ones never changes. `add` numbers the samples from 0;
`order` returns the numbers in the order to write. Takes 12 bytes per sample: the samples stay with the caller, for example
in a file with known line offsets.
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
Keeps a pseudo-random choice of `limit` samples: those with the smallest `unitHash(sample:seed:sampleId)`.

Unlike reservoir sampling, the choice does not depend on order or machine. It changes little as the set grows: a sample is
removed only when a new one with a smaller hash comes. A larger limit keeps all samples of a smaller one. Memory holds at
most `limit` values, in a heap.
*/
export const createSampler = <Value>(seed: string, limit: number) => {
  /** A binary heap with the largest hash on top. */
  const heap: Entry<Value>[] = [];
  let arrivals = 0;
  return {
    /** Adds a value; returns the value that is removed for it, which may be itself. Undefined while there is room. */
    add: (sampleId: string, value: Value): { lost: Value } | undefined => {
      const entry = { key: unitHash(`sample:${seed}:${sampleId}`), id: sampleId, arrival: arrivals++, value };
      if (heap.length < limit) {
        heap.push(entry);
        siftUp(heap);
        return undefined;
      }
      const top = heap[0];
      if (top === undefined || !isBefore(entry, top)) return { lost: value };
      heap[0] = entry;
      siftDown(heap);
      return { lost: top.value };
    },
    /** The kept values in their order of arrival. */
    values: (): Value[] => [...heap].sort((one, other) => one.arrival - other.arrival).map(({ value }) => value),
  };
};

interface Entry<Value> {
  key: number;
  id: string;
  arrival: number;
  value: Value;
}

/** Orders by hash. Equal hashes (one in 2^48) are ordered by id, because arrival would depend on order. */
const isBefore = <Value>(one: Entry<Value>, other: Entry<Value>): boolean =>
  one.key < other.key || (one.key === other.key && one.id < other.id);

const siftUp = <Value>(heap: Entry<Value>[]): void => {
  for (let at = heap.length - 1; at > 0; ) {
    const parent = (at - 1) >> 1;
    if (!swapIfLarger(heap, parent, at)) return;
    at = parent;
  }
};

const siftDown = <Value>(heap: Entry<Value>[]): void => {
  for (let at = 0; ; ) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
    if (left === undefined) return;
    const larger = right !== undefined && isBefore(left, right) ? 2 * at + 2 : 2 * at + 1;
    if (!swapIfLarger(heap, at, larger)) return;
    at = larger;
  }
};

/** Moves the larger one up; returns whether it had to. */
const swapIfLarger = <Value>(heap: Entry<Value>[], parent: number, child: number): boolean => {
  const [upper, lower] = [heap[parent], heap[child]];
  if (upper === undefined || lower === undefined || !isBefore(upper, lower)) return false;
  heap[parent] = lower;
  heap[child] = upper;
  return true;
};
