import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { has, interleaved, ratio } from "../measure.mjs";
import { jqPrograms } from "../rivals/jq.mjs";
import { expectLines, linesIn } from "../workshop.mjs";

/** From the archive to each format, offline. */
export const exporting = {
  about: "export from the archive, against DuckDB and jq on the same documents as NDJSON",
  run: async ({ shop, quick, runs, tell, bytes, calls: wanted }) => {
    const calls = wanted ?? (quick ? 400 : 100_000);
    const part = quick ? 400 : calls / 10;
    const notes = [`jq: the first ${part} of ${calls} documents, scaled`];
    const { file } = await shop.archive(calls);
    const all = shop.documents(calls);
    const some = shop.documents(part);
    notes.push(
      "parquet: `dataset --parquet`, which also makes splits, provenance and a report; DuckDB writes the messages alone",
    );
    if (!has("jq")) notes.push("jq is not here: not compared (apt-get install jq)");

    const results = {};
    const ratios = [];
    for (const format of ["ndjson", "csv", "messages", "parquet"]) {
      const name = (who) => `${format}: ${who}`;
      const out = (who) => shop.path(`${who}.${format}`);
      const exported = [0, availableParallelism()].map((threads) => ({
        name: name(threads === 0 ? "callarchive" : "callarchive, --threads"),
        command: () => {
          const flags = ["--archive", file, "--threads", String(threads), "-f", format, "-o", out("new")];
          return shop.command(["export", "-q", "--offline", ...flags]);
        },
      }));
      const set = {
        name: name("callarchive"),
        command: () =>
          shop.command(["dataset", "-q", "--archive", file, "--dedupe", "none", "--parquet", "-o", out("new")]),
      };
      const contenders = [
        ...(format === "parquet" ? [set] : exported),
        { name: name("DuckDB"), command: () => shop.rival("duckdb.mjs", all, out("duckdb"), format) },
      ];
      const program = jqPrograms[format];
      if (has("jq") && program) {
        writeFileSync(shop.path(`${format}.jq`), program);
        const flag = format === "csv" ? "-r" : "-c";
        contenders.push({
          name: name("jq"),
          scale: calls / part,
          command: () => ({
            args: ["sh", "-c", `jq ${flag} -f "$1" "$2" >"$3"`, "sh", shop.path(`${format}.jq`), some, out("jq")],
          }),
        });
      }
      Object.assign(results, await interleaved(contenders, runs, tell));
      if (format === "ndjson") for (const who of ["new", "duckdb"]) await expectLines(out(who), calls);
      if (format === "csv") await expectLines(out("new"), await linesIn(out("duckdb")));
      const us = results[name("callarchive")];
      for (const [who, least] of [
        ["DuckDB", 1],
        ["jq", 3],
      ]) {
        const them = results[name(who)];
        if (!them) continue;
        const promised = format === "ndjson" || format === "csv";
        const threaded = results[name("callarchive, --threads")];
        for (const [mine, how] of [
          [us, ""],
          [threaded, ", with threads"],
        ])
          if (mine)
            ratios.push({
              name: `${format} against ${who}${how}`,
              ratio: ratio(mine, them),
              cpu: ratio(mine, them, "cpu"),
              ...(promised && { promise: { least } }),
            });
      }
      for (const who of ["new", "duckdb", "jq"]) shop.clear(`${who}.${format}`);
    }
    return { calls, bytes, results, notes, ratios };
  },
};
