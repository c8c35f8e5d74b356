import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { idOf } from "./corpus.mjs";
import { measured } from "./measure.mjs";

const here = (name) => join(import.meta.dirname, name);
const NODE = process.execPath;
const BIN = here("../../bin/callarchive.js");

/** A folder for everything that is made on the way; servers and archives are made when first asked for, and kept. */
export const openWorkshop = ({ bytes, different, connections, tell }) => {
  const folder = mkdtempSync(join(tmpdir(), "callarchive-bench-"));
  const path = (...parts) => join(folder, ...parts);
  const servers = new Map();
  const archives = new Map();

  const start = async (latencyMs) => {
    tell(`rendering ${different} calls of ${bytes} bytes`);
    const args = [here("server.mjs"), different, bytes, latencyMs].map(String);
    const child = spawn(NODE, args, { stdio: ["pipe", "pipe", "inherit"] });
    const [origin] = await once(child.stdout.setEncoding("utf8"), "data");
    return { child, origin: origin.trim() };
  };

  const shop = {
    path,
    /** Where calls are served from, by a process of its own. */
    server: async (latencyMs = 0) => {
      if (!servers.has(latencyMs)) servers.set(latencyMs, await start(latencyMs));
      return servers.get(latencyMs).origin;
    },
    /** A file of the ids of the first calls. */
    ids: (calls) => {
      const file = path(`ids-${calls}.txt`);
      if (!existsSync(file)) writeFileSync(file, `${Array.from({ length: calls }, (_, at) => idOf(at)).join("\n")}\n`);
      return file;
    },
    /** A file of their call logs, one a line. */
    documents: (calls) => {
      const file = path(`documents-${calls}.ndjson`);
      if (!existsSync(file)) execFileSync(NODE, [here("corpus.mjs"), calls, different, bytes, file].map(String));
      return file;
    },
    /** The command as a user runs it, with nothing else in its environment. */
    command: (args, origin) => ({
      args: [NODE, BIN, ...args],
      cwd: folder,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: folder,
        TZ: "UTC",
        CALLARCHIVE_CONCURRENCY: String(connections),
        ALIBABA_CLOUD_ECS_METADATA_DISABLED: "true",
        ALIBABA_CLOUD_ACCESS_KEY_ID: "emulator-id",
        ALIBABA_CLOUD_ACCESS_KEY_SECRET: "emulator-secret",
        ...(origin && { CALLARCHIVE_ENDPOINT: origin }),
      },
    }),
    rival: (name, ...args) => ({ args: [NODE, here(`rivals/${name}`), ...args.map(String)], cwd: folder }),
    script: (name, ...args) => ({ args: ["sh", here(`rivals/${name}`), ...args.map(String)], cwd: folder }),
    /** An archive of the first calls, and what it took to pull them into it. */
    archive: async (calls) => {
      if (archives.has(calls)) return archives.get(calls);
      const file = path(`archive-${calls}.db`);
      const origin = await shop.server();
      tell(`pulling ${calls} calls`);
      const pull = await measured(shop.command(["pull", "-q", "-i", shop.ids(calls), "--archive", file], origin));
      archives.set(calls, { file, pull });
      return archives.get(calls);
    },
    clear: (...names) => {
      for (const name of names) rmSync(path(name), { recursive: true, force: true });
    },
    close: () => {
      for (const { child } of servers.values()) child.stdin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return shop;
};

export const sizeOf = (file) => statSync(file).size;

export const linesIn = async (file) => {
  let lines = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }))
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
  return lines;
};

/** @throws Error when the file has another number of lines */
export const expectLines = async (file, wanted) => {
  const found = await linesIn(file);
  if (found !== wanted) throw new Error(`${file} has ${found} lines, not ${wanted}: this would not be the same work.`);
};
