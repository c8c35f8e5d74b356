import type { Io } from "../io.ts";

/** Longer lines are hard to read. */
export const WIDEST = 110;
/** In less, the columns of flags and their meaning do not fit side by side. */
const NARROWEST = 50;

/** How many columns help has: what COLUMNS says, else the terminal's width; the widest where neither is known. */
export const helpWidth = ({ env, stdout }: Pick<Io, "env"> & { stdout: { columns?: number } }): number => {
  const said = /^[1-9]\d{0,4}$/.test(env.COLUMNS ?? "") ? Number(env.COLUMNS) : stdout.columns;
  return Math.min(WIDEST, Math.max(NARROWEST, said || WIDEST));
};
