import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../src/emulator/index.ts";
import { checkLine } from "./schema.ts";

const BIN = new URL("../../bin/callarchive.js", import.meta.url).pathname;

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  input?: string;
  /** Told of the process as soon as it runs. */
  started?: (child: ChildProcess) => void;
  /** Another Node to run it with. */
  node?: string;
  /** Another build of the command. */
  bin?: string;
  /** The number of another user to run it as. */
  uid?: number;
}

/** A folder of its own, a cloud of its own, and the real command. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), "callarchive 测试 "));
  readonly #clouds: Emulator[] = [];
  emulator: Emulator | undefined;

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  read(...parts: string[]): string {
    return readFileSync(this.path(...parts), "utf8");
  }

  /** Lines of an NDJSON file, parsed. */
  rows<T = Record<string, unknown>>(...parts: string[]): T[] {
    return parseLines(this.read(...parts));
  }

  async cloud(options: EmulatorOptions = {}): Promise<Emulator> {
    this.emulator = await startEmulator(options);
    this.#clouds.push(this.emulator);
    return this.emulator;
  }

  /** Runs `callarchive` in the folder, against the emulator if there is one, with nothing else in its environment. */
  run(
    args: readonly string[],
    { env = {}, input, started, node = process.execPath, bin = BIN, uid }: RunOptions = {},
  ): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const settings = { cwd: this.folder, env: { ...this.environment(), ...env } };
      const child = spawn(node, [bin, ...args], { ...settings, ...(uid !== undefined && { uid }) });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, stdout, stderr }));
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
      started?.(child);
    });
  }

  environment(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? "",
      HOME: this.folder,
      TZ: "UTC",
      ALIBABA_CLOUD_ECS_METADATA_DISABLED: "true",
      ...(this.emulator && {
        CALLARCHIVE_ENDPOINT: this.emulator.url,
        CALLARCHIVE_EVENTBRIDGE_ENDPOINT: this.emulator.url,
        ALIBABA_CLOUD_ACCESS_KEY_ID: "emulator-id",
        ALIBABA_CLOUD_ACCESS_KEY_SECRET: "emulator-secret",
      }),
    };
  }

  async leave(): Promise<void> {
    for (const cloud of this.#clouds) await cloud.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Lines of JSON, parsed; transcripts and turns among them must follow their schema. */
export const parseLines = <T = Record<string, unknown>>(text: string): T[] => parseAnyLines<T>(text).map(checkLine);

/** Lines of JSON, parsed: also those of older versions and of sources that the schema does not know. */
export const parseAnyLines = <T = Record<string, unknown>>(text: string): T[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/** A workplace for one test; gone after it. */
export const workplace = (): Workplace => {
  const made = new Workplace();
  places.push(made);
  return made;
};

const places: Workplace[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.leave();
});

/** The `summary` line of JSON logs. */
export const summaryOf = ({ stderr }: Ran): Record<string, unknown> => {
  const line = parseLines(stderr).findLast(({ event }) => event === "summary");
  if (!line) throw new Error(`There is no summary in: ${stderr}`);
  return line;
};
