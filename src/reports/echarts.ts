// Inlined when the package is built: installed, ECharts takes 62 MB, and this is all that reports use of it (0.6 MB).
export { BarChart, SankeyChart } from "echarts/charts";
export { GridComponent } from "echarts/components";
export { type EChartsCoreOption, init, use } from "echarts/core";
export { SVGRenderer } from "echarts/renderers";
