// Downloads one object to a file, as a process of its own: `node FILE ENDPOINT BUCKET KEY PATH`. It writes a line of JSON
// for each 64 MB, and one at the end with what the download took.
import { createDispatcher } from "../../src/http/agent.ts";
import { downloadFile } from "../../src/http/file-download.ts";
import { createObjectStorage } from "../../src/object-storage/client.ts";

const STEP = 64 * 1024 * 1024;
const [endpoint = "", bucket = "", key = "", path = ""] = process.argv.slice(2);
const say = (value: object): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

const dispatcher = createDispatcher({ env: {} });
const storage = createObjectStorage({
  dispatcher,
  region: "cn-hangzhou",
  endpoint: new URL(endpoint),
  credentials: { get: async () => ({ accessKeyId: "emulator-id", accessKeySecret: "emulator-secret" }) },
  userAgent: "callarchive-test",
});
const opened: number[] = [];
let retries = 0;
let next = 0;
const file = await downloadFile({
  open: (from, ...range) => {
    opened.push(from);
    return storage.open({ bucket, key }, from, ...range);
  },
  path,
  maxBytes: 8 * 1024 ** 3,
  onRetry: () => {
    retries += 1;
  },
  progress: (bytes) => {
    if (bytes < next) return;
    next = (Math.floor(bytes / STEP) + 1) * STEP;
    say({ bytes });
  },
});
await dispatcher.close();
const { sha256, bytes } = file;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
say({ sha256, bytes, opened, retries, rssMb: maxRSS / 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 });
