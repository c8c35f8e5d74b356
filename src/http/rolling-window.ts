const SLICES = 10;

interface Sums {
  accepted: number;
  refused: number;
}

/** Counts answers, and sums up those of about the last `spanMs`. Times are milliseconds, never negative. */
export const createRollingWindow = (spanMs: number) => {
  const slices = Array.from({ length: SLICES }, () => ({ number: -1, accepted: 0, refused: 0 }));
  const numberAt = (at: number): number => Math.floor(at / (spanMs / SLICES));
  return {
    add: (at: number, kind: keyof Sums): void => {
      const number = numberAt(at);
      const slice = slices[number % SLICES];
      if (!slice) return;
      if (slice.number !== number) Object.assign(slice, { number, accepted: 0, refused: 0 });
      slice[kind] += 1;
    },
    sums: (at: number): Sums => {
      const sums = { accepted: 0, refused: 0 };
      for (const { number, accepted, refused } of slices) {
        if (number <= numberAt(at) - SLICES) continue;
        sums.accepted += accepted;
        sums.refused += refused;
      }
      return sums;
    },
  };
};
