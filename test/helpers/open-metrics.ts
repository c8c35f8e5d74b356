/** One sample of a metrics file. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`;
const LINE = new RegExp(String.raw`^(${NAME})\{(${LABEL}(?:,${LABEL})*)\} (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$`);

const unescaped = (text: string): string => text.replace(/\\(.)/g, (_, sign) => (sign === "n" ? "\n" : sign));

/**
A strict reader of the part of OpenMetrics that gauges need: each family has HELP, then TYPE, then its samples together,
no family and no series comes twice, and the last line is `# EOF`.

@throws Error that quotes the line
*/
export const parseMetrics = (text: string): Sample[] => {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines.pop() !== "# EOF") throw new Error("does not end with # EOF");
  const samples: Sample[] = [];
  const families = new Set<string>();
  const series = new Set<string>();
  let family = "";
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const help = new RegExp(`^# HELP (${NAME}) \\S.*$`).exec(line);
    if (help) {
      family = help[1] ?? "";
      if (families.has(family)) throw new Error(`a second family: ${line}`);
      families.add(family);
      at += 1;
      if (lines[at] !== `# TYPE ${family} gauge`) throw new Error(`no type of a gauge: ${lines[at]}`);
      if (!LINE.test(lines[at + 1] ?? "")) throw new Error(`a family without samples: ${line}`);
      continue;
    }
    const [, name = "", labels = "", value = ""] = LINE.exec(line) ?? [];
    if (name === "" || name !== family) throw new Error(`not a sample of ${family}: ${line}`);
    if (series.has(`${name}{${labels}}`)) throw new Error(`twice: ${line}`);
    series.add(`${name}{${labels}}`);
    const pairs = [...labels.matchAll(new RegExp(LABEL, "g"))].map(([pair]) => {
      const [label = "", ...quoted] = pair.split("=");
      return [label, unescaped(quoted.join("=").slice(1, -1))] as const;
    });
    samples.push({ name, labels: Object.fromEntries(pairs), value: Number(value) });
  }
  return samples;
};
