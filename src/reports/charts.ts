import { count } from "../core/wording.ts";
import type { EChartsCoreOption } from "./echarts.ts";
import { printable } from "./html.ts";

export interface Bar {
  label: string;
  value: number;
}
export interface FlowNode {
  name: string;
  value: number;
  /** A colour, as CSS. */
  color: string;
}
export interface Flow {
  nodes: readonly FlowNode[];
  links: readonly { from: string; to: string; value: number }[];
}

/** Draws charts as SVG text. Colours are CSS variables of the page, so that a chart works in light and dark. */
export interface Charts {
  columns(name: string, bars: readonly Bar[]): string;
  rows(name: string, bars: readonly Bar[], color: string): string;
  flow(name: string, flow: Flow): string;
}

const INK = "var(--ink)";
const MUTED = "var(--muted)";
const LINE = "var(--line)";
/** Keeps the labels of axes inside the picture. */
const INSIDE = { outerBoundsMode: "same", outerBoundsContain: "axisLabel" };

/**
Loads ECharts: it draws SVG without a DOM, has flows and axes, and is three packages. Observable Plot needs a DOM and
another library for flows (61 packages), and Vega has no flows (81 packages).
*/
export const loadCharts = async (): Promise<Charts> => {
  const { BarChart, GridComponent, init, SankeyChart, SVGRenderer, use } = await import("./echarts.ts");
  use([BarChart, SankeyChart, GridComponent, SVGRenderer]);
  const draw = (name: string, width: number, height: number, option: EChartsCoreOption): string => {
    const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
    try {
      chart.setOption({ animation: false, textStyle: { fontFamily: "inherit" }, ...option });
      return normalize(name, chart.renderToSVGString());
    } finally {
      chart.dispose();
    }
  };
  return {
    columns: (name, bars) => draw(name, 480, 230, columnsOption(bars)),
    rows: (name, bars, color) => draw(name, 480, 30 * bars.length + 30, rowsOption(bars, color)),
    flow: (name, flow) => draw(name, 1000, Math.max(240, 40 * flow.nodes.length), flowOption(flow)),
  };
};

const columnsOption = (bars: readonly Bar[]): EChartsCoreOption => ({
  grid: { left: 4, right: 4, top: 24, bottom: 4, ...INSIDE },
  xAxis: {
    type: "category",
    data: bars.map(({ label }) => label),
    axisLabel: { color: MUTED, interval: 0, rotate: bars.length > 7 ? 35 : 0, fontSize: 11 },
    axisLine: { lineStyle: { color: LINE } },
    axisTick: { show: false },
  },
  yAxis: {
    type: "value",
    minInterval: 1,
    axisLabel: { color: MUTED, fontSize: 11 },
    splitLine: { lineStyle: { color: LINE } },
  },
  series: [
    {
      type: "bar",
      data: bars.map(({ value }) => value),
      barMaxWidth: 56,
      barCategoryGap: "22%",
      itemStyle: { color: "var(--accent)", borderRadius: [3, 3, 0, 0] },
      label: { show: true, position: "top", color: INK, fontSize: 11, formatter: labelOf },
      emphasis: { disabled: true },
    },
  ],
});

const rowsOption = (bars: readonly Bar[], color: string): EChartsCoreOption => ({
  grid: { left: room(bars), right: 56, top: 4, bottom: 26, outerBoundsMode: "none" },
  xAxis: {
    type: "value",
    minInterval: 1,
    axisLabel: { color: MUTED, fontSize: 11, hideOverlap: true },
    splitLine: { lineStyle: { color: LINE } },
  },
  yAxis: {
    type: "category",
    inverse: true,
    data: bars.map(({ label }) => brief(label)),
    axisLabel: { color: INK, fontSize: 12 },
    axisLine: { lineStyle: { color: LINE } },
    axisTick: { show: false },
  },
  series: [
    {
      type: "bar",
      data: bars.map(({ value }) => value),
      barMaxWidth: 18,
      itemStyle: { color, borderRadius: [0, 3, 3, 0] },
      label: { show: true, position: "right", color: INK, fontSize: 11, formatter: labelOf },
      emphasis: { disabled: true },
    },
  ],
});

const flowOption = ({ nodes, links }: Flow): EChartsCoreOption => ({
  series: [
    {
      type: "sankey",
      left: 4,
      right: 270,
      top: 12,
      bottom: 12,
      nodeWidth: 14,
      nodeGap: 14,
      nodeAlign: "left",
      // Keeps the given order: iterations would sort the splits by size.
      layoutIterations: 0,
      draggable: false,
      emphasis: { disabled: true },
      lineStyle: { color: "target", opacity: 0.35, curveness: 0.5 },
      label: {
        color: INK,
        fontSize: 12,
        textBorderWidth: 3,
        textBorderColor: "var(--card)",
        // A function, because braces in foreign names have a meaning in a template.
        formatter: ({ name }: { name: string }) => {
          const value = nodes.find((node) => node.name === name)?.value ?? 0;
          return `${brief(name)}  ${count(value)}`;
        },
      },
      data: nodes.map(({ name, color }) => ({ name, itemStyle: { color, borderWidth: 0 } })),
      links: links.map(({ from, to, value }) => ({ source: from, target: to, value })),
    },
  ],
});

/** The estimated width of a character, because the font is unknown: a character beyond Latin counts as two. */
const widthOf = (character: string): number => ((character.codePointAt(0) ?? 0) > 0x2ff ? 2 : 1);
const WIDEST = 36;

/** Shortens a label. ECharts would do this with its own wrong estimate of the width. */
const brief = (label: string): string => {
  let width = 0;
  const characters = [...printable(label)];
  const end = characters.findIndex((character) => {
    width += widthOf(character);
    return width > WIDEST;
  });
  return end === -1 ? characters.join("") : `${characters.slice(0, end).join("")}…`;
};

/** The width of the longest label, in pixels. */
const room = (bars: readonly Bar[]): number =>
  20 + 7 * Math.max(0, ...bars.map(({ label }) => [...brief(label)].reduce((sum, each) => sum + widthOf(each), 0)));

const labelOf = ({ value }: { value: number }): string => (value === 0 ? "" : count(value));

/**
Makes equal charts equal text: ECharts numbers its charts per process, and adds a style sheet and marks for a browser
client that is not used here.
*/
const normalize = (name: string, svg: string): string =>
  svg
    .replace(/<style\s*>[\s\S]*?<\/style>/g, "")
    .replace(/ (?:class="zr[^"]*"|ecmeta_\w+="[^"]*"|xmlns:xlink="[^"]*"|version="1.1"|baseProfile="full")/g, "")
    .replace(/\bzr\d+-(\w+)/g, `${name}-$1`)
    .replace(/^<svg width="\d+" height="\d+"/, `<svg role="img" aria-label="${name}"`)
    .replace(/\n+/g, "\n");
