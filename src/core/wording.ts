// Numbers formatted for people, in English.

/** "1,234,567" and, with at most three decimals, "1,234.5". By hand: the runtime's locale data takes 20 ms to load. */
export const count = (n: number): string => {
  const [whole = "", decimals = ""] = n
    .toFixed(3)
    .replace(/\.?0+$/u, "")
    .split(".");
  return whole.replace(/\B(?=(?:\d{3})+$)/gu, ",") + (decimals && `.${decimals}`);
};

/** "1 call", "2 calls". */
export const plural = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/** "1 is", "2 are". */
export const isAre = (n: number): string => `${count(n)} ${n === 1 ? "is" : "are"}`;

/** Bytes for people, in decimal units. */
export const size = (bytes: number): string => {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
};

/** Milliseconds for people. */
export const duration = (ms: number): string => {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
