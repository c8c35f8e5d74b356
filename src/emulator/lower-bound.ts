/** The first index in [0, length) for which `value`, which grows with the index, is at least `bound`; else `length`. */
export const lowerBound = (length: number, value: (index: number) => number, bound: number): number => {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (value(middle) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
};
