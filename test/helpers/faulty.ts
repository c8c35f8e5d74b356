/** The environment that loads `faulty.mjs` into a run; see there. */
export const faulty = (settings: Record<string, string>): Record<string, string> => ({
  NODE_OPTIONS: `--import=${new URL("faulty.mjs", import.meta.url).href}`,
  ...settings,
});
