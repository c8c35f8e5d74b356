import { availableParallelism } from "node:os";
import { has, interleaved, ratio } from "../measure.mjs";
import { expectLines } from "../workshop.mjs";

/** One for each core writes. */
const THREADED = "callarchive, --threads";

/** Realistic for a service in another city, in milliseconds. */
const LATENCY = 10;

/** The main job: from ids to NDJSON, with a new archive. */
export const pull = {
  about: "pull + export NDJSON, against the limit, curl + jq, and one by one",
  run: async ({ shop, quick, runs, tell, bytes, connections }) => {
    const calls = quick ? 300 : 20_000;
    const sample = quick ? 50 : 500;
    const notes = [];
    const origin = await shop.server();
    const distant = await shop.server(LATENCY);
    const ids = shop.ids(calls);
    const ours = (server, threads = 0) => ({
      before: () => shop.clear("new.db", "new.ndjson", "new.ndjson.manifest.json"),
      command: () =>
        shop.command(
          ["export", "-q", "-i", ids, "--archive", "new.db", "-o", "new.ndjson", "--threads", String(threads)],
          server,
        ),
    });
    const near = [
      { name: "callarchive", ...ours(origin) },
      { name: THREADED, ...ours(origin, availableParallelism()) },
      { name: "limit", command: () => shop.rival("limit.mjs", origin, ids, shop.path("limit.ndjson"), connections) },
      oneByOne("one by one", shop, origin, ids, sample, calls),
    ];
    if (has("curl") && has("jq"))
      near.push({
        name: "curl -Z + jq",
        before: () => shop.clear("curl"),
        command: () => shop.script("curl-jq.sh", origin, ids, shop.path("curl"), connections),
      });
    else notes.push("curl or jq is not here: not compared (apt-get install curl jq)");
    const far = [
      { name: `callarchive, ${LATENCY} ms away`, ...ours(distant) },
      oneByOne(`one by one, ${LATENCY} ms away`, shop, distant, ids, Math.ceil(sample / 5), calls),
    ];
    const results = await interleaved([...near, ...far], runs, tell);
    for (const name of ["new.ndjson", "limit.ndjson"]) await expectLines(shop.path(name), calls);
    if (results["curl -Z + jq"]) await expectLines(shop.path("curl", "transcripts.ndjson"), calls);
    shop.clear("curl", "one");
    notes.push(`one by one: ${sample} calls, and ${Math.ceil(sample / 5)} from afar, scaled to ${calls}`);
    const us = results.callarchive;
    const usAfar = results[`callarchive, ${LATENCY} ms away`];
    const against = (name, least, mine = us) =>
      results[name] && {
        name: `against ${name}`,
        ratio: ratio(mine, results[name]),
        cpu: ratio(mine, results[name], "cpu"),
        ...(least && { promise: { least } }),
      };
    const ratios = [
      against("limit", 0.7),
      { ...against("limit", 1, results[THREADED]), name: "with threads, against limit" },
      against("curl -Z + jq", 2),
      against("one by one", 20),
      against(`one by one, ${LATENCY} ms away`, undefined, usAfar),
    ];
    return { calls, bytes, results, notes, ratios: ratios.filter(Boolean) };
  },
};

const oneByOne = (name, shop, origin, ids, sample, calls) => ({
  name,
  scale: calls / sample,
  before: () => shop.clear("one"),
  command: () => shop.rival("one-by-one.mjs", origin, ids, shop.path("one"), sample),
});
