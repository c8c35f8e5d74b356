// Makes a fine-tuning set for two trainers of what an archive has.
import { buildDataset, createContext, presets, pull, startEmulator } from "callarchive";

const cloud = await startEmulator({ calls: 60 });
const context = createContext(process);
await pull({ endpoint: cloud.url, keys: cloud.keys, ids: [...cloud.ids()], archive: "calls.db" }, context);
await cloud.close();

const { facts } = await buildDataset(
  {
    archive: "calls.db",
    presets: ["bailian", "llama-factory"],
    output: "set/",
    redact: ["all"],
    minTurns: 2,
    split: "train=0.9,test=0.1",
  },
  context,
);

console.log(`${facts.calls.kept} of ${facts.calls.read} calls, ${facts.samples} samples`);
for (const { preset, name, rows } of facts.files) console.log(`${name}: ${rows} rows for ${presets[preset].reader}`);
for (const { step, reason, calls } of facts.dropped) console.log(`dropped by ${step}: ${calls} (${reason})`);
