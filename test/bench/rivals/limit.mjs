import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { Pool } from "undici";

// The limit of one thread: describe, download, parse, stringify, write in batches. No archive, no retries, no order, no
// signature (the headers are there, made once), no check of anything.

const [origin, idFile, outFile, connections = "64"] = process.argv.slice(2);
const ids = readFileSync(idFile, "utf8").trimEnd().split("\n");
const pool = new Pool(origin, { connections: Number(connections), pipelining: 1 });
const out = await open(outFile, "w");
const headers = {
  "x-acs-action": "DescribeAIAgentInstance",
  "x-acs-version": "2020-11-09",
  "x-acs-date": "2025-11-20T00:00:00Z",
  "x-acs-signature-nonce": "2f1d6a0e-6a0c-4ac8-8a53-1c6c55a5a0f7",
  "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  authorization: `ACS3-HMAC-SHA256 Credential=emulator-id,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=${"0".repeat(64)}`,
};

let batch = "";
let writing = Promise.resolve();
const put = (line) => {
  batch += line;
  if (batch.length < 65_536) return undefined;
  const text = batch;
  batch = "";
  writing = writing.then(() => out.appendFile(text));
  return writing;
};

let next = 0;
const work = async () => {
  while (next < ids.length) {
    const id = ids[next];
    next += 1;
    const described = await pool.request({ path: `/?InstanceId=${id}`, method: "POST", headers });
    const { Instance } = await described.body.json();
    const link = new URL(Instance.CallLogUrl);
    const downloaded = await pool.request({ path: link.pathname + link.search, method: "GET" });
    const { dialog, ...log } = await downloaded.body.json();
    const { CallLogUrl: _, RuntimeConfig: __, ...meta } = Instance;
    await put(`${JSON.stringify({ id, ...log, ...meta, turns: dialog })}\n`);
  }
};
await Promise.all(Array.from({ length: Number(connections) }, work));
await writing;
await out.appendFile(batch);
await out.close();
await pool.close();
