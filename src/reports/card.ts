import { count, plural } from "../core/wording.ts";
import type { DataFile, DatasetFacts, Measure } from "./facts.ts";

/** The card is beside the data; Hugging Face shows it as the page of the data set and reads its front matter. */
export const CARD = "README.md";

/**
The data set card in Markdown: front matter that names every file of every split, so that readers of folders need not
guess; then the contents, how they were made, and warnings. Same facts, same text.
*/
export const datasetCard = (facts: DatasetFacts): string => {
  const sections = [
    frontMatter(facts),
    `# ${TITLES[facts.task]}\n`,
    `${plural(facts.samples, "sample")} from ${originOf(facts)}, made by ${inline(facts.tool)}.\n`,
    `## Splits\n\n${splitTable(facts)}\n${splitRule(facts)}\n`,
    `## Files\n\n${fileTable(facts.files)}`,
    `## Size and languages\n\n${measureTable(facts)}\n${languageTable(facts)}\nThe language is told by script: a Han character or a Latin word each count one; from 80% on a dialog is \`zh\` or \`en\`.\n`,
    `## What was dropped and changed\n\n${droppedTable(facts)}\n${lostTable(facts)}${changedTable(facts)}\n${truncatedLine(facts)}${unwrittenTable(facts)}${excludedTable(facts)}Every dropped call is named with its reason in \`dropped.ndjson\`. \`provenance.ndjson\` tells of each row which conversation and turns it was made of.\n`,
    `## How it was made\n\n${table(["policy", "value"], [["seed", facts.seed], ...Object.entries(facts.policies)])}`,
    `## Personal data\n\n${personalData(facts)}\n`,
    "## Licence\n\nNot chosen yet. Replace `license: unknown` above before you share this data set, and check that the people in it may be shared at all.\n",
  ];
  return `${sections.join("\n").toWellFormed()}`;
};

const TITLES: Record<DatasetFacts["task"], string> = {
  chat: "Conversations for fine-tuning",
  "text-to-sql": "Questions and SQL for fine-tuning",
};

const originOf = ({ task, calls }: DatasetFacts): string =>
  task === "chat"
    ? `${count(calls.kept)} of ${plural(calls.read, "call")} with AI agents of Alibaba Cloud Real-time Conversational AI`
    : `${count(calls.kept)} of ${plural(calls.read, "conversation")} with query agents of Alibaba Cloud EventBridge: each has a question as the user and the SQL that answers it as the assistant`;

const frontMatter = ({ task, languages, samples, files }: DatasetFacts): string => {
  const spoken = (["zh", "en"] as const).filter((name) => languages[name] + languages.mixed > 0);
  const presets = [...new Set(files.map(({ preset }) => preset))];
  const configs = presets.flatMap((preset, index) => {
    const own = files.filter((file) => file.preset === preset && file.rows > 0);
    if (own.length === 0) return [];
    const splits = [...new Set(own.map(({ split }) => split))];
    return [
      `- config_name: ${presets.length === 1 ? "default" : preset}`,
      ...(index === 0 && presets.length > 1 ? ["  default: true"] : []),
      "  data_files:",
      ...splits.flatMap((split) => [
        `  - split: ${split}`,
        "    path:",
        ...own.filter((file) => file.split === split).map(({ name }) => `    - ${JSON.stringify(name)}`),
      ]),
    ];
  });
  return [
    "---",
    "license: unknown",
    ...(spoken.length > 0 ? ["language:", ...spoken.map((name) => `- ${name}`)] : []),
    "task_categories:",
    "- text-generation",
    "tags:",
    `- ${task === "chat" ? "conversational" : task}`,
    "size_categories:",
    `- ${sizeCategory(samples)}`,
    ...(configs.length > 0 ? ["configs:", ...configs] : []),
    "---",
    "",
  ].join("\n");
};

/** The size categories of Hugging Face. */
const sizeCategory = (samples: number): string => {
  const steps = [1e3, 1e4, 1e5, 1e6, 1e7] as const;
  const names = ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M"];
  return names[steps.findIndex((step) => samples < step)] ?? "10M<n<100M";
};

const splitTable = ({ splits }: DatasetFacts): string =>
  table(
    ["split", "calls", "samples", "tokens"],
    splits.map(({ name, calls, samples, tokens }) => [name, calls, samples, tokens ?? "not counted"]),
  );

const splitRule = ({ policies }: DatasetFacts): string => {
  const by = policies["split-by"];
  if (by === undefined)
    return "The split of a call follows from its id and the seed alone: it stays the same as the data set grows.";
  const whole =
    by === "caller" ? "All calls of a caller" : `All calls of one ${inline(by === "agent" ? by : "session")}`;
  return `${whole} are in one split, which follows from that and the seed alone: it stays the same as the data set grows.`;
};

const fileTable = (files: readonly DataFile[]): string =>
  table(
    ["file", "for", "split", "rows", "bytes"],
    files.map(({ name, preset, split, rows, bytes }) => [name, preset, split, rows, bytes]),
  );

const measureTable = ({ measures }: DatasetFacts): string => {
  const row = (name: string, measure: Measure | undefined) =>
    measure ? [[name, measure.median, measure.p90, measure.p99, measure.max]] : [];
  return table(
    ["per sample", "median", "90%", "99%", "most"],
    [
      ...row("turns", measures.turns),
      ...row("characters", measures.characters),
      ...row("tokens", measures.tokens),
      ...row("seconds (per call)", measures.seconds),
    ],
  );
};

const languageTable = ({ languages }: DatasetFacts): string =>
  table(
    ["language", "samples"],
    Object.entries(languages).filter(([, samples]) => samples > 0),
  );

const droppedTable = ({ dropped }: DatasetFacts): string =>
  dropped.length === 0
    ? "No call was dropped.\n"
    : table(
        ["dropped by", "reason", "calls"],
        dropped.map(({ step, reason, calls }) => [step, reason, calls]),
      );

/** Empty where nothing was lost, so that most cards do without the table. */
const lostTable = ({ lost }: DatasetFacts): string =>
  lost.length === 0
    ? ""
    : `${table(
        ["dropped by", "reason", "samples"],
        lost.map(({ step, reason, samples }) => [step, reason, samples]),
      )}\n`;

const unwrittenTable = ({ unwritten }: DatasetFacts): string =>
  unwritten.length === 0
    ? ""
    : `${table(
        ["not written for", "reason", "samples"],
        unwritten.flatMap(({ preset, reasons }) =>
          reasons.map(({ reason, samples }) => [preset, reason, samples] as const),
        ),
      )}\n`;

const excludedTable = ({ excluded = [] }: DatasetFacts): string =>
  excluded.length === 0
    ? ""
    : `${table(
        ["excluded file", "rows", "found in the data", "samples left out"],
        excluded.map(({ file, rows, found, samples }) => [file, rows, found, samples]),
      )}\n`;

const changedTable = ({ changed }: DatasetFacts): string =>
  changed.length === 0
    ? "No call was changed.\n"
    : table(
        ["change", "calls"],
        changed.map(({ change, calls }) => [change, calls]),
      );

const truncatedLine = ({ task, truncated }: DatasetFacts): string =>
  task === "chat"
    ? `Answers that callers cut off: ${count(truncated.answers)}. Truncated answers learned: ${count(truncated.learned)}.\n\n`
    : "";

const personalData = ({ redacted }: DatasetFacts): string => {
  const warning =
    "These are conversations of real people. Names, addresses and what they tell of themselves are personal data";
  if (redacted === undefined) return `${warning}. **Nothing was redacted.**`;
  const places = table(["redacted", "places"], Object.entries(redacted));
  return `${warning}, and remain in it: only the following was looked for, by patterns, which miss some.\n\n${places}`;
};

const table = (head: readonly string[], rows: readonly (readonly (string | number | boolean)[])[]): string => {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  const body = rows.map((cells) => line(cells.map((cell) => (typeof cell === "number" ? count(cell) : inline(cell)))));
  return `${line(head)}${line(head.map(() => "---"))}${body.join("")}`;
};

/** Escapes foreign text for Markdown, so that it is one line without markup and does not break a table. */
const inline = (value: string | boolean): string =>
  String(value)
    .slice(0, 200)
    .replace(/\s+/g, " ")
    .replace(/[\\`*_{}[\]<>|#!&~]/g, (character) => `&#${character.charCodeAt(0)};`);
