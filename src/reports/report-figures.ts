import type { Bar, Flow, FlowNode } from "./charts.ts";
import type { DatasetFacts, Measure } from "./facts.ts";

/** The number of reasons in the flow; the others are summed up. */
const REASONS = 7;

/** The flow from all calls to kept, changed and dropped ones, and from there to splits and reasons. */
export const flowOf = ({ calls, splits, dropped }: DatasetFacts): Flow => {
  const nodes: FlowNode[] = [];
  const links: Flow["links"][number][] = [];
  const node = (name: string, value: number, color: string): void => {
    if (value > 0) nodes.push({ name, value, color });
  };
  const link = (from: string, to: string, value: number): void => {
    if (value > 0) links.push({ from, to, value });
  };
  const [all, whole, changed, out] = ["Calls", "Kept as they are", "Kept, changed", "Dropped"];
  node(all, calls.read, "var(--accent)");
  node(whole, calls.kept - calls.changed, "var(--kept)");
  node(changed, calls.changed, "var(--changed)");
  node(out, calls.dropped, "var(--dropped)");
  link(all, whole, calls.kept - calls.changed);
  link(all, changed, calls.changed);
  link(all, out, calls.dropped);
  for (const split of splits) {
    // A thin space keeps the name of a split different from the names of other nodes.
    const name = `${split.name}\u2009`;
    node(name, split.calls, "var(--accent)");
    link(whole, name, split.calls - split.changed);
    link(changed, name, split.changed);
  }
  for (const { label, value } of topOf(reasonsOf(dropped), REASONS)) {
    node(label, value, "var(--dropped)");
    link(out, label, value);
  }
  return { nodes, links };
};

export const reasonsOf = (dropped: DatasetFacts["dropped"]): Bar[] =>
  dropped.map(({ step, reason, calls }) => ({ label: `${step}: ${reason}`.slice(0, 80), value: calls }));

/** The first bars of a sorted list, and one bar for all others. */
export const topOf = (bars: readonly Bar[], most: number): Bar[] => {
  if (bars.length <= most + 1) return mergeLabels(bars);
  const rest = bars.slice(most).reduce((sum, { value }) => sum + value, 0);
  return mergeLabels([...bars.slice(0, most), { label: `${bars.length - most} other reasons`, value: rest }]);
};

/** Merges bars whose labels are equal after shortening. */
const mergeLabels = (bars: readonly Bar[]): Bar[] => {
  const values = new Map<string, number>();
  for (const { label, value } of bars) values.set(label, (values.get(label) ?? 0) + value);
  return [...values].map(([label, value]) => ({ label, value }));
};

/** Bins as columns, without empty ones at both ends. */
export const columnsOf = ({ bins }: Measure, unit: (value: number) => string = String): Bar[] => {
  const first = bins.findIndex(({ count }) => count > 0);
  const last = bins.findLastIndex(({ count }) => count > 0);
  return bins
    .slice(Math.max(0, first), last + 1)
    .map(({ from, to, count }) => ({ label: range(from, to, unit), value: count }));
};

const range = (from: number, to: number | undefined, unit: (value: number) => string): string => {
  if (to === undefined) return `> ${unit(from - 1)}`;
  return from === 0 ? `≤ ${unit(to)}` : `${unit(from)}–${unit(to)}`;
};

/** 1,500 as 1.5k. */
export const short = (value: number): string =>
  value < 1_000 ? String(value) : `${Number((value / 1_000).toFixed(1))}k`;

/** 90 as 1:30. */
export const minutes = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
