// Fetches calls into an archive, stops when asked to, and goes on where it stood.
import { createContext, pull, startEmulator } from "callarchive";

const cloud = await startEmulator({ calls: 200, latencyMs: 5 });
const request = {
  endpoint: cloud.url,
  keys: cloud.keys,
  agents: cloud.agents,
  since: "2025-07-14T00:00:00Z",
  until: "2025-07-21T00:00:00Z",
  archive: "calls.db",
};

// A program would abort at SIGTERM, or pass AbortSignal.timeout(60_000).
const stop = new AbortController();
const stopping = createContext(process, {
  signal: stop.signal,
  onProgress: ({ done }) => {
    if (done >= 50) stop.abort(new Error("50 calls are enough for now."));
  },
});
try {
  await pull(request, stopping);
} catch (error) {
  if (error !== stop.signal.reason) throw error;
  console.log(`Stopped: ${error.message}`);
}

// What was fetched is in the archive: the same request asks only for the rest.
const warnings = [];
const context = createContext(process, {
  log: (level, event, fields) => {
    if (level === "warn" || level === "error") warnings.push({ event, ...fields });
  },
});
const { outcome, selected, known } = await pull(request, context);
await cloud.close();

console.log(
  `${outcome}: ${selected} calls, ${known > 0 ? "some" : "none"} of them known before, ${warnings.length} warnings`,
);
