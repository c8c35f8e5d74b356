import type { Io } from "../io.ts";

/** Longer lines are hard to read. */
export const WIDEST = 110;
/** In fewer columns, flags and descriptions do not fit side by side. */
const NARROWEST = 50;

/** The width of help in columns: COLUMNS, else the terminal's width, else the widest. */
export const helpWidth = ({ env, stdout }: Pick<Io, "env"> & { stdout: { columns?: number } }): number => {
  const columns = /^[1-9]\d{0,4}$/.test(env.COLUMNS ?? "") ? Number(env.COLUMNS) : stdout.columns;
  return Math.min(WIDEST, Math.max(NARROWEST, columns || WIDEST));
};
