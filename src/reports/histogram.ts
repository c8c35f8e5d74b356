import type { Measure } from "./facts.ts";

/** Numbers up to this have their own counter, so that quantiles are exact; the counters take 512 KB. */
const EXACT = 65_535;

/** The last number of each bin; one more bin follows. */
export const BINS = {
  turns: [2, 4, 6, 8, 10, 14, 20, 30, 50, 100],
  characters: [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000],
  tokens: [128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768],
  seconds: [15, 30, 60, 120, 180, 300, 600, 1_200, 1_800, 3_600],
} as const;

/** Collects whole numbers from 0 on; fractions are rounded. Memory does not grow. */
export const createHistogram = (ends: readonly number[]) => {
  const counts = new Float64Array(EXACT + 1);
  const bins = new Float64Array(ends.length + 1);
  let [count, sum, min, max] = [0, 0, Number.POSITIVE_INFINITY, 0];

  /** The smallest number such that this share of all numbers is not larger. */
  const quantile = (share: number): number => {
    let left = Math.ceil(share * count);
    for (let value = 0; value <= EXACT; value++) {
      left -= counts[value] ?? 0;
      if (left <= 0) return value;
    }
    return EXACT;
  };

  return {
    add: (number: number): void => {
      const value = Math.max(0, Math.round(number));
      if (!Number.isFinite(value)) return;
      count += 1;
      sum += value;
      min = Math.min(min, value);
      max = Math.max(max, value);
      const exact = Math.min(value, EXACT);
      counts[exact] = (counts[exact] ?? 0) + 1;
      const bin = ends.findIndex((end) => value <= end);
      const index = bin === -1 ? ends.length : bin;
      bins[index] = (bins[index] ?? 0) + 1;
    },
    /** Undefined if nothing was added. */
    measure: (): Measure | undefined =>
      count === 0
        ? undefined
        : {
            count,
            sum,
            min,
            max,
            median: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            bins: [...bins].map((inBin, index) => {
              const to = ends[index];
              return { from: (ends[index - 1] ?? -1) + 1, ...(to !== undefined && { to }), count: inBin };
            }),
          },
  };
};
