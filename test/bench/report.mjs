// What a run of the benchmark prints: Markdown, fit for docs/performance.md.

const figure = (value) => {
  if (value === undefined) return "";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
};

const ranged = (spread) => {
  if (spread === undefined) return "";
  const { median, min, max } = spread;
  return min === max ? figure(median) : `${figure(median)} (${figure(min)}..${figure(max)})`;
};

const wanted = ({ least, most } = {}) =>
  [least !== undefined && `>= ${least}`, most !== undefined && `<= ${most}`].filter(Boolean).join(", ");

/** Whether the median keeps what was promised; undefined where nothing was. */
export const holds = ({ ratio, promise }) =>
  promise &&
  ratio &&
  ratio.median >= (promise.least ?? 0) &&
  ratio.median <= (promise.most ?? Number.POSITIVE_INFINITY);

const table = (heads, rows) =>
  [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");

export const header = ({ cpu, cores, memoryGb, node, os, at }, { runs, quick }) =>
  `${cpu}, ${cores} cores, ${memoryGb} GB; Node ${node}; ${os}; ${at}; ${runs} interleaved runs, median (min..max)${quick ? "; --quick: the figures mean nothing" : ""}\n`;

export const sectionOf = (name, { about, calls, bytes, results, ratios, notes = [], loadBefore, loadAfter }) => {
  const size = [calls && `${calls} calls`, bytes && `of ${bytes} bytes`].filter(Boolean).join(" ");
  const rows = Object.entries(results).map(([who, { wall, cpu, rss, calls: own = calls }]) => [
    who,
    ranged(wall),
    ranged(cpu),
    ranged(rss),
    own ? figure((wall.median * 1e6) / own) : "",
  ]);
  const verdict = (each) => (holds(each) === undefined ? "" : holds(each) ? "yes" : "no");
  const ratioRows = ratios.map((each) => [
    each.name,
    ranged(each.ratio),
    ranged(each.cpu),
    wanted(each.promise),
    verdict(each),
  ]);
  return [
    `\n### ${name}: ${about}${size && ` (${size})`}\n\n`,
    rows.length > 0 ? table(["", "wall s", "CPU s", "peak MB", "us/call"], rows) : "",
    "\n",
    table(["ratio", "of wall", "of CPU", "promised", "kept"], ratioRows),
    ...notes.map((note) => `\n${note}\n`),
    `\nLoad of the machine before and after: ${loadBefore.toFixed(1)}, ${loadAfter.toFixed(1)}\n`,
  ].join("");
};

export const summaryOf = (measured) => {
  const promises = Object.values(measured).flatMap(({ ratios }) => ratios.filter(({ promise }) => promise));
  return `\n${promises.filter(holds).length} of ${promises.length} promises kept\n`;
};
