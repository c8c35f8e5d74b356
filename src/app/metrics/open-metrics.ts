type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

/** A label's value: quotes, backslashes and line ends are escaped, control characters replaced. */
const escaped = (value: string): string =>
  value
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, "\ufffd")
    .replace(/[\\"\n]/g, (sign) => (sign === "\n" ? "\\n" : `\\${sign}`));

const labelled = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",");

/** Builds text in the OpenMetrics format; all samples have the labels in `common`. */
export const openMetrics = (prefix: string, common: Labels) => {
  const lines: string[] = [];
  const add = (type: string, suffix: string, name: string, help: string, samples: readonly Sample[]): void => {
    if (samples.length === 0) return;
    lines.push(`# HELP ${prefix}_${name} ${help}`, `# TYPE ${prefix}_${name} ${type}`);
    for (const [labels, value] of samples)
      lines.push(`${prefix}_${name}${suffix}{${labelled({ ...common, ...labels })}} ${value}`);
  };
  return {
    /** Adds a family of gauges, unless it has no samples. @param help one line */
    gauge: (name: string, help: string, samples: readonly Sample[]): void => add("gauge", "", name, help, samples),
    /** The same for counters. @param name without `_total` */
    counter: (name: string, help: string, samples: readonly Sample[]): void =>
      add("counter", "_total", name, help, samples),
    text: (): string => [...lines, "# EOF", ""].join("\n"),
  };
};
