import { LANGUAGES, type Message } from "../core/sample.ts";
import { wellFormed } from "../core/text.ts";
import type { Json } from "../core/transcript.ts";
import { count } from "../core/wording.ts";
import { type Charts, loadCharts } from "./charts.ts";
import type { DatasetFacts, Example, Measure } from "./facts.ts";
import { Html, html } from "./html.ts";
import { columnsOf, flowOf, minutes, reasonsOf, short, topOf } from "./report-figures.ts";
import { STYLE } from "./report-style.ts";

export const REPORT_JSON = "report.json";
export const REPORT_HTML = "report.html";

/** The facts for programs, without text of calls. */
export const reportJson = (facts: DatasetFacts): string =>
  `${JSON.stringify(wellFormed(facts as unknown as Json), null, 2)}\n`;

/**
The facts for people: one page without scripts and network requests (its policy forbids both), for light, dark and print.
It shows ten samples word for word, so it is as confidential as the data.
*/
export const reportHtml = async (facts: DatasetFacts, examples: readonly Example[]): Promise<string> => {
  const charts = await loadCharts();
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fine-tuning data set: report</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>Fine-tuning data set</h1>
<p class="lead">${facts.samples} samples from ${facts.calls.kept} of ${facts.calls.read} calls · ${facts.tool} · seed ${facts.seed}</p>
${tiles(facts)}
${facts.calls.read === 0 ? html`<p class="card">There was no call to make a sample of.</p>` : flowCard(facts, charts)}
<div class="grid">
${distributions(facts, charts)}
${tallyCard("Why calls were dropped", "reasons", reasonsOf(facts.dropped), "var(--dropped)", "No call was dropped.", charts)}
${facts.lost.length === 0 ? [] : tallyCard("Why single samples were dropped", "lost", lostBars(facts), "var(--dropped)", "", charts)}
${facts.unwritten.length === 0 ? [] : tallyCard("What presets cannot express", "unwritten", unwrittenBars(facts), "var(--dropped)", "", charts)}
${tallyCard("What was changed", "changes", changesOf(facts), "var(--changed)", "No call was changed.", charts)}
${truncatedCard(facts)}
${splitCard(facts)}
${policyCard(facts)}
</div>
${examplesPart(examples)}
</main>
</body>
</html>
`;
  return page.text;
};

const tiles = ({ calls, samples, tokens }: DatasetFacts): Html => {
  const tile = (value: string | number, name: string) =>
    html`<div class="tile"><b>${value}</b><span>${name}</span></div>`;
  return html`<div class="tiles">
${tile(samples, "samples")}
${tokens === undefined ? [] : tile(tokens, "tokens")}
${tile(calls.kept, `calls kept (${percent(calls.kept, calls.read)})`)}
${tile(calls.changed, "of them changed")}
${tile(calls.dropped, `calls dropped (${percent(calls.dropped, calls.read)})`)}
</div>`;
};

const percent = (part: number, whole: number): string =>
  whole === 0 ? "0%" : `${Number(((100 * part) / whole).toFixed(1))}%`;

const flowCard = (facts: DatasetFacts, charts: Charts): Html => html`<section class="card">
<h2>What became of the calls</h2>
<div class="scroll">${new Html(charts.flow("flow", flowOf(facts)))}</div>
</section>`;

const distributions = ({ measures, languages }: DatasetFacts, charts: Charts): Html[] => {
  const card = (title: string, name: string, measure: Measure | undefined, unit?: (value: number) => string) =>
    measure === undefined || measure.count === 0
      ? []
      : [
          html`<section class="card"><h2>${title}</h2>${new Html(charts.columns(name, columnsOf(measure, unit)))}
<p class="note">${spread(measure, unit === minutes ? minutes : undefined)}</p></section>`,
        ];
  const names = { zh: "Chinese", en: "English", mixed: "mixed", other: "other" } as const;
  const bars = LANGUAGES.map((key) => ({ label: names[key], value: languages[key] }));
  const spoken = bars.filter(({ value }) => value > 0);
  return [
    ...card("Turns per sample", "turns", measures.turns),
    ...card("Tokens per sample", "tokens", measures.tokens, short),
    ...card("Characters per sample", "characters", measures.characters, short),
    ...card("Length of a call, minutes", "durations", measures.seconds, minutes),
    ...(spoken.length === 0
      ? []
      : [
          html`<section class="card"><h2>Languages</h2>${new Html(charts.columns("languages", spoken))}
<p class="note">Samples, by the script of their dialog.</p></section>`,
        ]),
  ];
};

const spread = ({ median, p90, p99, max }: Measure, unit: (value: number) => string = count) =>
  `Median ${unit(median)} · 90% up to ${unit(p90)} · 99% up to ${unit(p99)} · most ${unit(max)}`;

const lostBars = ({ lost }: DatasetFacts) =>
  lost.map(({ step, reason, samples }) => ({ label: `${step}: ${reason}`.slice(0, 80), value: samples }));

const unwrittenBars = ({ unwritten }: DatasetFacts) =>
  unwritten.flatMap(({ preset, reasons }) =>
    reasons.map(({ reason, samples }) => ({ label: `${preset}: ${reason}`.slice(0, 80), value: samples })),
  );

const changesOf = ({ changed }: DatasetFacts) =>
  changed.map(({ change, calls }) => ({ label: change.slice(0, 80), value: calls }));

const tallyCard = (
  title: string,
  name: string,
  bars: ReturnType<typeof reasonsOf>,
  color: string,
  none: string,
  charts: Charts,
): Html => html`<section class="card"><h2>${title}</h2>
${bars.length === 0 ? html`<p class="note">${none}</p>` : new Html(charts.rows(name, topOf(bars, 10), color))}
</section>`;

const truncatedCard = ({ task, truncated }: DatasetFacts): Html | readonly never[] =>
  task !== "chat"
    ? []
    : html`<section class="card"><h2>Answers that callers cut off</h2><table>
<tr><td>truncated answers in kept calls</td><td class="n">${truncated.answers}</td></tr>
<tr><td>truncated answers learned</td><td class="n">${truncated.learned}</td></tr>
</table></section>`;

const splitCard = ({
  splits,
  files,
}: DatasetFacts): Html => html`<section class="card"><h2>Splits</h2><div class="scroll">
<table><tr><th>split</th><th class="n">calls</th><th class="n">samples</th><th class="n">tokens</th></tr>
${splits.map(({ name, calls, samples, tokens }) => html`<tr><td>${name}</td><td class="n">${calls}</td><td class="n">${samples}</td><td class="n">${tokens ?? "–"}</td></tr>`)}
</table>
<table><tr><th>file</th><th class="n">rows</th><th class="n">bytes</th></tr>
${files.map(({ name, rows, bytes }) => html`<tr><td>${name}</td><td class="n">${rows}</td><td class="n">${bytes}</td></tr>`)}
</table></div></section>`;

const policyCard = ({ policies, redacted }: DatasetFacts): Html => html`<section class="card"><h2>Policies</h2><table>
${Object.entries(policies).map(([name, value]) => html`<tr><td>${name}</td><td>${String(value)}</td></tr>`)}
${redacted === undefined ? html`<tr><td>redacted</td><td>nothing</td></tr>` : Object.entries(redacted).map(([name, places]) => html`<tr><td>redacted: ${name}</td><td>${places} ${places === 1 ? "place" : "places"}</td></tr>`)}
</table></section>`;

const examplesPart = (examples: readonly Example[]): Html | readonly never[] =>
  examples.length === 0
    ? []
    : html`<section><div class="card"><h2>${examples.length} ${examples.length === 1 ? "sample" : "samples"}</h2>
<p class="lead">Chosen by a seeded hash, and shown as they are in the data: treat this page as confidential.</p></div>
<div class="examples">${examples.map(exampleCard)}</div></section>`;

const exampleCard = ({ id, split, language, tokens, changes, head, omitted, tail }: Example): Html => {
  const facts = [split, language, ...(tokens === undefined ? [] : [`${count(tokens)} tokens`]), ...changes];
  return html`<article class="example"><header><code>${id}</code><br>${facts.join(" · ")}</header>
${head.map(bubble)}
${omitted === 0 ? [] : html`<p class="gap">… ${omitted} messages …</p>`}
${tail.map(bubble)}
</article>`;
};

const bubble = ({ role, content, learn = true, toolCalls = [] }: Message): Html => {
  const calls = toolCalls.map(({ name, arguments: text }) => `${name}(${text.slice(0, 300)})`);
  const mark = role === "assistant" && !learn ? "assistant, not learned" : role;
  return html`<div class="message ${role}${learn ? "" : " unlearned"}"><i>${mark}</i>${[content, ...calls].filter((text) => text !== "").join("\n")}</div>`;
};
