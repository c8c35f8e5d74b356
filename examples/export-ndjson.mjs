// Exports a week of calls as NDJSON. The cloud is played on this machine: no account is needed.
import { createContext, exportConversations, startEmulator } from "callarchive";

const cloud = await startEmulator({ calls: 20 });

// With an account: leave out `endpoint` and `keys`, and name the region and ids of your agents.
const { outcome, counts, files } = await exportConversations(
  {
    endpoint: cloud.url,
    keys: cloud.keys,
    agents: cloud.agents,
    since: "2025-07-14T00:00:00Z",
    until: "2025-07-21T00:00:00Z",
    archive: "calls.db",
    output: "calls.ndjson",
  },
  createContext(process),
);
await cloud.close();

console.log(`${outcome}: ${counts?.exported} of ${counts?.selected} calls`);
for (const { name, rows, sha256 } of files) console.log(`${name}: ${rows} rows, SHA-256 ${sha256}`);
