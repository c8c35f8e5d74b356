import { readFileSync } from "node:fs";
import { interleaved, spread } from "../measure.mjs";

const PRESETS = [
  ...["messages", "bailian", "llama-factory", "ms-swift", "axolotl"],
  ...["trl", "openai", "together", "sharegpt", "alpaca"],
];

const MADE = [
  ["messages, copies kept", ["--dedupe", "none"]],
  ["messages", []],
  ["messages, redacted, near copies dropped", ["--redact", "all", "--dedupe", "near"]],
  ["messages, Parquet", ["--dedupe", "none", "--parquet"]],
  ["ten presets", ["--dedupe", "none", ...PRESETS.flatMap((name) => ["--preset", name])]],
];

/** From the archive to a folder that goes into a trainer. */
export const dataset = {
  about: "fine-tuning sets from the archive, and their peak memory",
  run: async ({ shop, quick, runs, tell, bytes, calls: wanted }) => {
    const most = wanted ?? (quick ? 400 : 100_000);
    const sizes = [most / 10, most];
    const results = {};
    const notes = [];
    const ratios = [];
    for (const calls of sizes) {
      const { file } = await shop.archive(calls);
      const out = shop.path("set");
      const contenders = MADE.map(([name, flags]) => ({
        name: `${calls}: ${name}`,
        before: () => shop.clear("set"),
        command: () => shop.command(["dataset", "-q", "--archive", file, "-o", out, ...flags]),
      }));
      for (const contender of contenders) {
        const measures = await interleaved([contender], calls >= 100_000 ? 1 : runs, tell);
        results[contender.name] = { ...measures[contender.name], calls };
        const { calls: counts, samples } = JSON.parse(readFileSync(`${out}/report.json`, "utf8"));
        notes.push(`${contender.name}: ${samples} samples of ${counts.kept} calls, ${counts.dropped} dropped`);
      }
      shop.clear("set");
    }
    const [fewer, all] = sizes;
    for (const [name] of MADE) {
      const of = (calls) => results[`${calls}: ${name}`];
      if (!of(all).rss) continue;
      ratios.push({
        name: `${name}: memory at ${all} / at ${fewer}`,
        ratio: spread([of(all).rss.median / of(fewer).rss.median]),
      });
    }
    return { bytes, results, notes, ratios };
  },
};
