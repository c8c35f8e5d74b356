import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { workplace } from "./helpers/workplace.ts";

const exec = promisify(execFile);
const FOLDER = new URL("../examples", import.meta.url).pathname;

/** What each prints, and the files that it leaves in the current folder. */
const EXAMPLES: Record<string, { prints: RegExp; leaves: string[] }> = {
  "export-ndjson.mjs": {
    prints: /^complete: 20 of 20 calls\ncalls\.ndjson: 20 rows, SHA-256 [0-9a-f]{64}\n$/,
    leaves: ["calls.db", "calls.ndjson", "calls.ndjson.manifest.json"],
  },
  "pull-with-signal.mjs": {
    prints: /^Stopped: 50 calls .*\ncomplete: 200 calls, some of them known before, 0 warnings\n$/,
    leaves: ["calls.db"],
  },
  "read-archive.mjs": {
    prints:
      /^20 fetched, 1 missing\nnobody: .*\n\w+: \d+ bytes .*\n[1-9]\d* turns since July 15\nThere is no archive elsewhere\.\n$/,
    leaves: ["calls.db"],
  },
  "dataset.mjs": {
    prints:
      /^58 of 60 calls, 58 samples\n(bailian\/\w+\.jsonl: \d+ rows for Model Studio\n){2}(llama-factory\/.*\n){2}(dropped by .*\n)+$/,
    leaves: ["calls.db", "set"],
  },
  "redact.mjs": {
    prints: /^\{ order: 2, phone: 2 \}\n.*\nuser: Order <ORDER_1>, call me at <PHONE_1>\.\n.*\n\{"messages":.*\}\n$/,
    leaves: [],
  },
};

test("every example is run here, and listed beside them", () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".mjs"));
  expect(files.toSorted()).toEqual(Object.keys(EXAMPLES).toSorted());
  const page = readFileSync(join(FOLDER, "README.md"), "utf8");
  for (const name of files) expect(page).toContain(`[${name}](${name})`);
});

test.each(Object.entries(EXAMPLES))("%s runs, with the package as it is built", async (name, { prints, leaves }) => {
  const place = workplace();
  const settings = { cwd: place.folder, env: place.environment() };
  const { stdout, stderr } = await exec(process.execPath, [join(FOLDER, name)], settings);
  expect(stdout).toMatch(prints);
  expect(stderr).toBe("");
  expect(readdirSync(place.folder).toSorted()).toEqual(leaves);
});
