import { createReadStream } from "node:fs";
import { createGzip } from "node:zlib";
import { interleaved, spread, summed } from "../measure.mjs";
import { sizeOf } from "../workshop.mjs";

/** Whether a call costs the same among many, in memory and in time; and what it takes on disk. */
export const scale = {
  about: "memory, time per call and archive size, by number of calls",
  run: async ({ shop, quick, full, runs, tell, bytes }) => {
    const sizes = quick ? [200, 400] : [10_000, 100_000, ...(full ? [1_000_000] : [])];
    const results = {};
    const points = [];
    for (const calls of sizes) {
      const { file, pull } = await shop.archive(calls);
      const origin = await shop.server();
      const offline = ["export", "-q", "--offline", "--archive", file];
      const contenders = [
        { name: "export ndjson", command: () => shop.command([...offline, "-o", "new.ndjson"]) },
        { name: "export csv", command: () => shop.command([...offline, "-o", "new.csv"]) },
        { name: "export messages", command: () => shop.command([...offline, "-o", "new.jsonl"]) },
        {
          name: "resume",
          command: () => shop.command(["pull", "-q", "-i", shop.ids(calls), "--archive", file], origin),
        },
        { name: "status", command: () => shop.command(["status", "--archive", file]) },
      ];
      const measures = await interleaved(contenders, calls >= 100_000 ? 1 : runs, tell);
      shop.clear("new.ndjson", "new.csv", "new.jsonl");
      measures.pull = summed([pull]);
      for (const [name, value] of Object.entries(measures)) {
        results[`${calls}: ${name}`] = { ...value, calls };
        points.push({ calls, name, perCall: ((value.cpu ?? value.wall).median * 1e6) / calls, rss: value.rss?.max });
      }
    }
    const at = (calls, name) => points.find((point) => point.calls === calls && point.name === name);
    const [least, most] = [sizes[0], sizes.at(-1)];
    const flat = (name) => {
      const factor = at(most, name).rss / at(least, name).rss;
      return { name: `${name}: memory at ${most} / at ${least}`, ratio: spread([factor]), promise: { most: 1.1 } };
    };
    const peak = (name) => ({
      name: `${name}: MB at ${most}`,
      ratio: results[`${most}: ${name}`].rss,
      promise: { most: 200 },
    });
    const known = points[0].rss === undefined ? [] : ["pull", "export ndjson", "export csv", "export messages"];
    const cost = (name) => ({
      name: `${name}: CPU time per call at ${most} / at ${least}`,
      ratio: spread([at(most, name).perCall / at(least, name).perCall]),
    });
    return {
      bytes,
      results,
      points,
      ratios: [
        ...known.map(peak),
        ...known.map(flat),
        ...["pull", "export ndjson", "export csv", "resume"].map(cost),
        ...(await sizesOf(shop, sizes[1], tell)),
      ],
    };
  },
};

const sizesOf = async (shop, calls, tell) => {
  const { file } = await shop.archive(calls);
  const documents = shop.documents(calls);
  const raw = sizeOf(documents);
  const gzip = await gzipped(documents);
  tell(`raw ${raw}, gzip -6 ${gzip}, archive ${sizeOf(file)}`);
  return [
    {
      name: `archive / gzip -6 of ${calls} documents in one stream`,
      ratio: spread([sizeOf(file) / gzip]),
      promise: { most: 1.1 },
    },
    { name: "archive / raw documents", ratio: spread([sizeOf(file) / raw]) },
  ];
};

const gzipped = async (file) => {
  let size = 0;
  for await (const chunk of createReadStream(file).pipe(createGzip({ level: 6 }))) size += chunk.length;
  return size;
};
