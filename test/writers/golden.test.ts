import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { callTranscript } from "../../src/parse/call-log.ts";
import { voiceSample } from "../../src/transforms/curate/voice.ts";
import { type WriterName, type WriterOptions, writers } from "../../src/writers/index.ts";
import { MAIN, written } from "./written.ts";

const bytes = readFileSync(new URL("../fixtures/seed/b9566.json", import.meta.url));
const document = { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
const transcript = callTranscript({
  id: "b9566********************3c5eb2",
  agentId: "agent-1",
  link: "https://logs.oss-cn-shanghai.aliyuncs.com/b9566.json",
  status: "Finished",
  document,
});

const cases: [file: string, WriterName, WriterOptions][] = [
  ["transcripts.ndjson", "ndjson", {}],
  ["turns.ndjson", "ndjson", { rows: "turn" }],
  ["transcripts.csv", "csv", {}],
  ["messages.jsonl", "messages", { toSample: voiceSample }],
  ["raw.json", "raw", { single: true }],
];

it.each(cases)("writes the documentation's call as %s", async (file, name, options) => {
  const files = written(writers[name].create(options), [transcript], () => document);
  const folder = new URL("../golden/", import.meta.url).pathname;
  await expect(files.get(MAIN)?.text).toMatchFileSnapshot(`${folder}${file}`);
  const report = files.get("messages.report.ndjson");
  if (name === "messages") await expect(report?.text).toMatchFileSnapshot(`${folder}messages.report.ndjson`);
});
