import { writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { parseArgs } from "node:util";
import { again } from "./cases/again.mjs";
import { dataset } from "./cases/dataset.mjs";
import { exporting } from "./cases/export.mjs";
import { pull } from "./cases/pull.mjs";
import { quota } from "./cases/quota.mjs";
import { scale } from "./cases/scale.mjs";
import { start } from "./cases/start.mjs";
import { usageKnown } from "./measure.mjs";
import { header, sectionOf, summaryOf } from "./report.mjs";
import { openWorkshop } from "./workshop.mjs";

const cases = { start, pull, export: exporting, dataset, again, scale, quota };

const USAGE = `npm run bench -- [options]     (docs/performance.md says what is measured)

  --case NAME          only this case, repeatable: ${Object.keys(cases).join(", ")}
  --runs N             how often each command runs (default: 3; start-up at least 21)
  --calls N            calls of the export, dataset and again cases (default: 100000)
  --different N        different conversations; further calls repeat them (default: 20000)
  --bytes N            length of a call log (default: 10240)
  --connections N      calls fetched at once, by all who can (default: 64)
  --quick              small: a minute, for a smoke test; its ratios mean nothing
  --full               a million calls too: an hour, and 40 GB of disk
  --json FILE          the result as JSON too
`;

const number = (text, name) => {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} needs a whole number, 1 or more.\n\n${USAGE}`);
  return Number(text);
};

const read = () => {
  const text = { type: "string" };
  const flag = { type: "boolean", default: false };
  const { values } = parseArgs({
    options: {
      case: { ...text, multiple: true, default: Object.keys(cases) },
      runs: text,
      calls: text,
      different: text,
      bytes: { ...text, default: "10240" },
      connections: { ...text, default: "64" },
      quick: flag,
      full: flag,
      json: text,
      help: { ...flag, short: "h" },
    },
  });
  for (const name of values.case)
    if (!Object.hasOwn(cases, name)) throw new Error(`There is no case "${name}".\n\n${USAGE}`);
  return {
    ...values,
    runs: number(values.runs ?? (values.quick ? "1" : "3"), "runs"),
    different: number(values.different ?? (values.quick ? "400" : "20000"), "different"),
    bytes: number(values.bytes, "bytes"),
    connections: number(values.connections, "connections"),
    calls: values.calls === undefined ? undefined : number(values.calls, "calls"),
  };
};

const tell = (text) => process.stderr.write(`  ${text}\n`);

const main = async () => {
  const options = read();
  if (options.help) return process.stdout.write(USAGE);
  const facts = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    os: `${type()} ${release()}`,
    at: new Date().toISOString(),
  };
  const { runs, bytes, different, connections, quick, full } = options;
  const measured = {};
  const shop = openWorkshop({ bytes, different, connections, tell });
  process.once("SIGINT", () => {
    shop.close();
    process.exit(130);
  });
  process.stdout.write(header(facts, options));
  if (!usageKnown) process.stdout.write("Neither GNU time nor python3 is here: no CPU time, no memory.\n");
  try {
    for (const name of options.case) {
      tell(`${name}: ${cases[name].about}`);
      const load = loadavg()[0];
      const result = await cases[name].run({ ...options, shop, tell });
      measured[name] = { about: cases[name].about, loadBefore: load, loadAfter: loadavg()[0], ...result };
      process.stdout.write(sectionOf(name, measured[name]));
    }
  } finally {
    shop.close();
  }
  process.stdout.write(summaryOf(measured));
  const json = { facts, options: { runs, bytes, different, connections, quick, full }, cases: measured };
  if (options.json) writeFileSync(options.json, `${JSON.stringify(json, undefined, 2)}\n`);
  return undefined;
};

try {
  await main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
