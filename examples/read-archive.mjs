// Reads an archive: what it holds, single calls, and conversations one by one.
import { createContext, NoArchive, openArchive, pull, startEmulator } from "callarchive";

const cloud = await startEmulator({ calls: 20 });
const [first] = cloud.ids();
const source = { endpoint: cloud.url, keys: cloud.keys, archive: "calls.db" };
await pull({ ...source, ids: [...cloud.ids(), "nobody"] }, createContext(process));
await cloud.close();

const archive = await openArchive("calls.db");
const { counts } = await archive.summary();
console.log(`${counts.fetched} fetched, ${counts.missing} missing`);

for await (const { id, error } of archive.calls({ states: ["missing", "invalid", "failed"] }))
  console.log(`${id}: ${error?.message}`);

const call = await archive.find(first);
console.log(`${call?.id}: ${call?.document?.bytes.length} bytes as the service stores them`);

let turns = 0;
for await (const transcript of archive.transcripts({ since: new Date("2025-07-15T00:00:00Z") }))
  turns += transcript.turns.length;
console.log(`${turns} turns since July 15`);
await archive.close();

try {
  await openArchive("elsewhere.db");
} catch (error) {
  if (!(error instanceof NoArchive)) throw error;
  console.log("There is no archive elsewhere.");
}
