// The build bundles this file, because ECharts takes 62 MB installed, and reports use only these parts (0.6 MB).
export { BarChart, SankeyChart } from "echarts/charts";
export { GridComponent } from "echarts/components";
export { type EChartsCoreOption, init, use } from "echarts/core";
export { SVGRenderer } from "echarts/renderers";
