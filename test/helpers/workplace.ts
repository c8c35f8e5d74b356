import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterEach, vi } from "vitest";
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

export interface HereOptions extends Pick<RunOptions, "env" | "input"> {
  /** The time that it is all the while, in milliseconds. @default the real time */
  at?: number;
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

  /**
  Runs the same command line in this process, which takes a tenth of a start. For what prepares a test or looks at its
  result, and for tables of cases; what a test is about is started as users start it. One at a time, because runs know
  each other by their process.
  */
  async runHere(args: readonly string[], { env = {}, input, at }: HereOptions = {}): Promise<Ran> {
    if (env.NODE_OPTIONS !== undefined) throw new Error("These settings are for a process of its own.");
    const { run } = await import("../../src/cli/program.ts");
    const { isAlive, processSpace, startOf } = await import("../../src/app/machine.ts");
    const [stdout, stderr] = [collector(), collector()];
    const space = processSpace();
    if (at !== undefined) vi.setSystemTime(at);
    const code = await run(args, {
      env: { ...this.environment(), ...env },
      cwd: this.folder,
      stdin: Readable.from(input === undefined ? [] : [Buffer.from(input)]),
      stdout: stdout.stream,
      stdoutFailure: () => undefined,
      stderr: stderr.stream,
      pid: process.pid,
      runId: randomBytes(4).toString("hex"),
      host: hostname(),
      processSpace: space,
      isAlive: (pid) => isAlive(pid, process.kill),
      startOf,
      nodeVersion: process.versions.node,
      // None to spare: no threads, unless they are asked for.
      cores: 1,
      now: () => new Date(),
      onSignal: () => () => undefined,
      exit: (given) => {
        throw new Error(`The command would have ended this process with ${given}.`);
      },
    }).finally(() => vi.useRealTimers());
    return { code, stdout: stdout.text(), stderr: stderr.text() };
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
        CALLARCHIVE_OSS_ENDPOINT: this.emulator.url,
        CALLARCHIVE_LIVE_ENDPOINT: this.emulator.url,
        CALLARCHIVE_VOD_ENDPOINT: this.emulator.url,
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

/** A stream that keeps what is written to it. */
const collector = () => {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    decodeStrings: true,
    write: (chunk: Buffer, _, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
};

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
