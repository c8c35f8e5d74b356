import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { validate } from "dockerfile-utils";
import { afterEach, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { EXIT } from "../src/cli/exit-codes.ts";
import { type Emulator, startEmulator } from "../src/emulator/index.ts";
import { parseLines } from "./helpers/workplace.ts";

// What docs/operations.md gives people to paste is taken from there, and run or read by what will read it.

const exec = promisify(execFile);
const ROOT = new URL("..", import.meta.url).pathname;
const BIN = join(ROOT, "bin/callarchive.js");
const page = readFileSync(join(ROOT, "docs/operations.md"), "utf8");

const blocks = [...page.matchAll(/^[ \t]*```(\w+)\n([\s\S]*?)^[ \t]*```/gm)].map(([, language = "", text = ""]) => ({
  language,
  text,
}));

/** The block that says which file it is, or what it does, in its first comment. */
const block = (title: string): string => {
  const found = blocks.filter(({ text }) => text.split("\n").some((line) => line.startsWith(`# ${title}`)));
  expect(found, title).toHaveLength(1);
  return found[0]?.text ?? "";
};

const has = (program: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A machine of one's own: its root is a folder, which all absolute paths of the page are in. */
class Machine {
  // No blanks in its path: the page's paths have none either, and are not quoted.
  readonly root = mkdtempSync(join(tmpdir(), "callarchive-machine-"));
  readonly cloud: Emulator;
  constructor(cloud: Emulator) {
    this.cloud = cloud;
    for (const folder of ["/var/lib/callarchive", "/var/log/callarchive", "/var/lib/node_exporter/textfile"])
      mkdirSync(this.path(folder), { recursive: true });
    this.program("/usr/local/bin/callarchive", `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
    this.write("/etc/callarchive/config.yaml", block("/etc/callarchive/config.yaml"));
  }

  path(path: string): string {
    return join(this.root, path);
  }

  /** With the page's paths put into this machine's root. */
  local(text: string): string {
    return text.replaceAll(/(?<![\w./-])\/(?=(?:etc|var|usr\/local|data|out|tmp)\b)/g, `${this.root}/`);
  }

  write(path: string, text: string): string {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), this.local(text));
    return this.path(path);
  }

  program(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
    chmodSync(this.path(path), 0o755);
  }

  read(path: string): string {
    return readFileSync(this.path(path), "utf8");
  }

  /** Ids in all NDJSON files of a folder. */
  ids(folder: string): string[] {
    return readdirSync(this.path(folder))
      .filter((name) => name.startsWith("transcripts") && name.endsWith(".ndjson"))
      .flatMap((name) => parseLines<{ id: string }>(this.read(`${folder}/${name}`)).map(({ id }) => id));
  }

  environment(): Record<string, string> {
    return {
      PATH: `${this.path("/usr/local/bin")}:${dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: this.root,
      TZ: "UTC",
      ALIBABA_CLOUD_ECS_METADATA_DISABLED: "true",
      ALIBABA_CLOUD_ACCESS_KEY_ID: "emulator-id",
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: "emulator-secret",
      CALLARCHIVE_ENDPOINT: this.cloud.url,
    };
  }

  /** Asynchronously: the emulator lives in this process. */
  run(argv: readonly string[], cwd = "/var/lib/callarchive", env: Record<string, string> = {}): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const [program = "", ...args] = argv;
      const child: ChildProcess = spawn(program, args, {
        cwd: this.path(cwd),
        env: { ...this.environment(), ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let stdout = "";
      let stderr = "";
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
  }

  sh(script: string, env: Record<string, string> = {}, cwd?: string): Promise<Ran> {
    return this.run(["/bin/sh", "-ec", this.local(script)], cwd, env);
  }

  /** As the page says: from a date, as the user of the service. */
  async firstRun(): Promise<void> {
    const { text } = blocks.find((each) => each.text.startsWith("runuser")) ?? { text: "" };
    expect(text).toContain("--since 2025-07-14");
    const ran = await this.sh(text.replace("runuser -u callarchive -- sh\n", ""));
    expect([ran.code, ran.stderr.includes('"event":"summary"')]).toEqual([0, true]);
  }
}

const machines: Machine[] = [];
afterEach(async () => {
  for (const { cloud, root } of machines.splice(0)) {
    await cloud.close();
    rmSync(root, { recursive: true, force: true });
  }
});

const machine = async (): Promise<Machine> => {
  const cloud = await startEmulator({ calls: 60, agents: 1 });
  const made = new Machine(cloud);
  machines.push(made);
  // The page names the emulator's agent.
  expect(page).toContain(cloud.agents[0]);
  return made;
};

/** One more call, so that a run has something to do. */
const ring = ({ cloud }: Machine): string => cloud.add({ start: new Date(Date.now() - 3_600_000) });

const seconds = (text: string): number => {
  const [, n = "", unit = "s"] = /^(\d+)\s*(s|sec|m|min|h)?$/.exec(text) ?? [];
  expect(n, text).not.toBe("");
  return Number(n) * { s: 1, sec: 1, m: 60, min: 60, h: 3600 }[unit as "s"];
};

const flagValue = (command: string, flag: string): string =>
  new RegExp(`${flag}[ ,]+"?([^\\s",]+)`).exec(command)?.[1] ?? "";

describe("every command line", () => {
  const help = (command: string): string =>
    execFileSync(process.execPath, [BIN, command, "--help"], { encoding: "utf8", env: { PATH: "", COLUMNS: "200" } });
  const known = new Map<string, Set<string>>();
  const flagsOf = (command: string): Set<string> => {
    const flags = known.get(command) ?? new Set(help(command).match(/(?<![\w-])--?[a-z][a-z-]*/g));
    known.set(command, flags);
    return flags;
  };
  const commands = [
    ...execFileSync(process.execPath, [BIN, "--help"], { encoding: "utf8" }).matchAll(/^ {2}([a-z]+)\b/gm),
  ].map(([, name = ""]) => name);
  const code = [
    ...blocks.filter(({ language }) => language !== "json").map(({ text }) => text),
    ...[...page.replaceAll(/```[\s\S]*?```/g, "").matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text),
  ];

  test("names a command that there is, and only flags that it has", () => {
    const lines = code
      .map((text) => text.replaceAll(/\\\n\s*/g, " "))
      // Folded text of YAML: one command over several lines.
      .map((text) =>
        text.replaceAll(/>-\n((?:\s+.*\n)+?)(?=\s+\w+:)/g, (_, folded: string) => folded.replaceAll(/\n\s+/g, " ")),
      )
      .flatMap((text) => [...text.matchAll(/(?:callarchive(?::[\d.]+)?) ([a-z]+)\b([^\n|;&<>]*)/g)])
      .filter(([, name = ""]) => commands.includes(name));
    expect(lines.length).toBeGreaterThan(35);
    for (const [line, name = "", rest = ""] of lines)
      for (const flag of rest.match(/(?<=\s)--?[a-z][a-z-]*/g) ?? [])
        expect(flagsOf(name), `${line}: ${flag}`).toContain(flag);
  });

  test("and so does the text around them", () => {
    const all = new Set(commands.flatMap((name) => [...flagsOf(name)]));
    const others = new Set(["--collector.textfile.directory=/var/lib/node_exporter/textfile"]);
    const flags = code.flatMap((text) =>
      /^(--|-[a-z]\b)/.test(text) && !others.has(text) ? [text.split(/[ =]/)[0] ?? ""] : [],
    );
    expect(flags.length).toBeGreaterThan(15);
    for (const flag of flags) expect(all, flag).toContain(flag);
  });
});

test("the table of exit codes has them all", () => {
  const rows = [...page.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes = ""]) => codes.split(",").map(Number));
  expect(rows.sort((a, b) => a - b)).toEqual([...Object.values(EXIT), 137].sort((a, b) => a - b));
});

describe("systemd", () => {
  type Unit = Record<string, Record<string, string[]>>;
  const unitOf = (text: string): Unit => {
    const unit: Unit = {};
    let section: Record<string, string[]> = {};
    for (const line of text.split("\n")) {
      if (line === "" || line.startsWith("#")) continue;
      const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
      const [, key = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
      expect(name ?? key, line).not.toBe("");
      if (name) {
        section = {};
        unit[name] = section;
      } else section[key] = [...(section[key] ?? []), value];
    }
    return unit;
  };
  const SERVICE = "/etc/systemd/system/callarchive.service";
  const TIMER = "/etc/systemd/system/callarchive.timer";

  test("its units have what they need, and times that fit", () => {
    const { Unit, Service = {} } = unitOf(block(SERVICE));
    expect(Unit?.After).toEqual(["network-online.target"]);
    expect(Service).toMatchObject({ Type: ["oneshot"], User: ["callarchive"], SuccessExitStatus: ["10 143"] });
    const [command = ""] = Service.ExecStart ?? [];
    const most = seconds(flagValue(command, "--max-duration"));
    expect(seconds(Service.TimeoutStartSec?.[0] ?? "")).toBeGreaterThan(most + 60);
    expect(seconds(Service.TimeoutStopSec?.[0] ?? "")).toBeGreaterThan(30);
    expect(most).toBeLessThan(3600);
    expect(seconds(flagValue(command, "--wait"))).toBeGreaterThan(60);
    // Read-only but for these.
    expect(flagValue(command, "--metrics-file").startsWith(`${Service.ReadWritePaths?.[0]}/`)).toBe(true);
    const { Timer, Install } = unitOf(block(TIMER));
    expect(Timer).toEqual({ OnCalendar: ["*-*-* *:17:00"], RandomizedDelaySec: ["2min"], Persistent: ["true"] });
    expect(Install).toEqual({ WantedBy: ["timers.target"] });
  });

  test.skipIf(!has("systemd-analyze"))("its units pass systemd's own check", async () => {
    const here = await machine();
    const units = [SERVICE, TIMER].map((path) => here.write(path, block(path)));
    const { stderr } = await exec("systemd-analyze", ["verify", "--man=no", ...units]);
    expect(stderr.split("\n").filter((line) => line.includes("callarchive"))).toEqual([]);
    await exec("systemd-analyze", ["calendar", unitOf(block(TIMER)).Timer?.OnCalendar?.[0] ?? ""]);
  });

  test("its command runs, and writes the figures that the alerts read", async () => {
    const here = await machine();
    await here.firstRun();
    const id = ring(here);
    const { Service = {} } = unitOf(block(SERVICE));
    const env = Object.fromEntries(
      (Service.Environment ?? []).map((line) => line.split("=", 2).map((part) => here.local(part))),
    );
    const argv = here.local(Service.ExecStart?.[0] ?? "").split(" ");
    const ran = await here.run(argv, Service.WorkingDirectory?.[0], env);
    expect([ran.code, ran.stdout]).toEqual([0, ""]);
    expect(parseLines(ran.stderr).at(-1)).toMatchObject({ event: "summary", exported: 1, exitCode: 0 });
    expect(here.ids("/var/lib/callarchive/calls")).toContain(id);
    expect(here.read("/var/lib/callarchive/trouble.ndjson")).toBe("");

    const metrics = here.read("/var/lib/node_exporter/textfile/callarchive-export.prom");
    const names = new Set(metrics.match(/^callarchive_\w+/gm));
    const states = new Set([...metrics.matchAll(/state="(\w+)"/g)].map(([, state]) => state));
    const kinds = new Set([...metrics.matchAll(/kind="(\w+)"/g)].map(([, kind]) => kind));
    const { groups } = parse(block("/etc/prometheus/rules/callarchive.yaml")) as {
      groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBe(12);
    for (const { expr, annotations } of rules) {
      expect(annotations.summary).not.toBe("");
      for (const name of expr.match(/callarchive_\w+/g) ?? [""]) expect(names, expr).toContain(name);
      expect(expr).toContain('command="export"');
      const [, wanted = ""] = /state=~"([^"]*)"/.exec(expr) ?? [];
      for (const state of wanted.split("|").filter(Boolean)) expect(states, expr).toContain(state);
      const [, kind = ""] = /kind=~"([^"]*)"/.exec(expr) ?? [];
      for (const each of kind.split("|").filter(Boolean)) expect(kinds, expr).toContain(each);
    }
    const table = [...page.matchAll(/^\| `(callarchive_\w+)`/gm)].map(([, name]) => name);
    expect(table).toEqual([...names]);
    for (const each of [...states, ...kinds]) expect(page).toContain(`\`${each}\``);
  });
});

describe("cron", () => {
  test("its lines run as they stand", async () => {
    const here = await machine();
    await here.firstRun();
    const id = ring(here);
    const text = block("/etc/cron.d/callarchive");
    const settings = [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(
      ([, name = "", value = ""]) => [name, value] as const,
    );
    const env: Record<string, string> = Object.fromEntries(settings.map(([name, value]) => [name, here.local(value)]));
    expect(env.PATH?.split(":")).toEqual([here.path("/usr/local/bin"), "/usr/bin", "/bin"]);
    here.program("/usr/local/bin/callarchive-backup", "#!/bin/sh\n");
    const jobs = [...text.matchAll(/^((?:[\d*,/-]+ ){5})(\S+) (.*)$/gm)];
    expect(jobs).toHaveLength(text.split("\n").filter((line) => /^[\d*]/.test(line)).length);
    const called: string[] = [];
    for (const [, , user, command = ""] of jobs) {
      expect(user).toBe("callarchive");
      // In a crontab it would end the command.
      expect(command).not.toContain("%");
      expect(command).toMatch(/2>&1$/);
      const name = /callarchive (export|prune|verify)/.exec(command)?.[1] ?? "backup";
      called.push(name);
      const ran = await here.sh(command, env, "/");
      const log = here.read(`/var/log/callarchive/${name}.log`);
      expect([name, ran, ran.code === 0 ? "" : log]).toEqual([name, { code: 0, stdout: "", stderr: "" }, ""]);
      if (name === "export") expect(here.ids("/var/lib/callarchive/calls")).toContain(id);
      if (name !== "backup") expect(parseLines(log).at(-1)).toMatchObject({ event: "summary", exitCode: 0 });
    }
    expect(called).toEqual(["export", "backup", "prune", "verify"]);
    expect(here.read("/var/lib/node_exporter/textfile/callarchive-prune.prom")).toContain('{command="prune"} 0');
  });

  test("logs are rotated where they are written", () => {
    const text = block("/etc/logrotate.d/callarchive");
    const [, pattern = "", body = ""] = /^(\/\S+) \{\n([\s\S]*)\}\n$/m.exec(text) ?? [];
    expect(body.split("\n").map((line) => line.trim())).toEqual(
      expect.arrayContaining(["missingok", "compress", "delaycompress", "su callarchive callarchive"]),
    );
    const logs = [...block("/etc/cron.d/callarchive").matchAll(/>>(\S+)/g)].map(([, path = ""]) => path);
    for (const log of logs) expect(`${dirname(log)}/*.log`).toBe(pattern);
  });

  test.skipIf(!has("logrotate"))("logrotate reads its file", async () => {
    const here = await machine();
    const file = here.write(
      "/etc/logrotate.d/callarchive",
      block("/etc/logrotate.d/callarchive").replace(/^ *(su|create) .*\n/gm, ""),
    );
    chmodSync(file, 0o644);
    await exec("logrotate", ["--debug", "--state", here.path("/state"), file]);
  });
});

describe.skipIf(!has("sqlite3"))("backup", () => {
  test("is a whole archive; restored, each call is in the folder once, also those that came since, and what was forgotten stays so", async () => {
    const here = await machine();
    await here.firstRun();
    here.program("/usr/local/bin/callarchive-backup", here.local(block("/usr/local/bin/callarchive-backup")));
    // It is of Monday.
    here.program("/usr/local/bin/date", "#!/bin/sh\necho 1\n");
    expect(await here.run(["callarchive-backup"])).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(readdirSync(here.path("/var/lib/callarchive/backup"))).toEqual(["callarchive-1.db"]);
    expect(
      execFileSync("stat", ["-c", "%a", here.path("/var/lib/callarchive/backup/callarchive-1.db")]).toString(),
    ).toBe("600\n");

    // The folder has a part that the backup does not know, and calls come after that too.
    const since = ring(here);
    const env = { CALLARCHIVE_CONFIG: here.path("/etc/callarchive/config.yaml") };
    const run = "callarchive export --since last --new -o calls/";
    expect((await here.sh(run, env)).code).toBe(0);
    const before = here.ids("/var/lib/callarchive/calls");
    expect(before).toContain(since);
    const late = ring(here);
    const gone = before.find((id) => id !== since) ?? "";
    writeFileSync(here.path("/var/lib/callarchive/forgotten.txt"), `${gone}\n`);
    const restored = await here.sh(block("restore"));
    expect([restored.code, restored.stderr.match(/"level":"(?:warn|error)".*/g)]).toEqual([0, null]);
    expect(here.ids("/var/lib/callarchive/calls").sort()).toEqual([...before, late].sort());
    const next = ring(here);
    await here.sh(run, env);
    expect(here.ids("/var/lib/callarchive/calls").sort()).toEqual([...before, late, next].sort());
  });

  test("a copy that is damaged does not take the place of a good one", async () => {
    const here = await machine();
    await here.firstRun();
    here.program("/usr/local/bin/callarchive-backup", here.local(block("/usr/local/bin/callarchive-backup")));
    here.program("/usr/local/bin/sqlite3", "#!/bin/sh\nhead -c 20000 callarchive.db > backup/new.db\n");
    expect((await here.run(["callarchive-backup"])).code).not.toBe(0);
    expect(
      readdirSync(here.path("/var/lib/callarchive/backup")).filter((name) => name.startsWith("callarchive")),
    ).toEqual([]);
  });
});

describe("Kubernetes", () => {
  // Only what is asserted or used here.
  interface Container {
    name: string;
    image: string;
    command?: string[];
    args: string[];
    env: { name: string; value: string }[];
    resources: { limits: { memory: string } };
    securityContext: object;
    volumeMounts: { name: string; mountPath: string }[];
  }
  interface Pod {
    restartPolicy: string;
    terminationGracePeriodSeconds: number;
    serviceAccountName: string;
    securityContext: object;
    containers: [Container];
    volumes: { name: string; persistentVolumeClaim?: { claimName: string }; ephemeral?: object; emptyDir?: object }[];
  }
  interface JobSpec {
    template: { spec: Pod };
    backoffLimit?: number;
    activeDeadlineSeconds: number;
    completionMode: string;
    completions: number;
    parallelism: number;
    backoffLimitPerIndex: number;
    podFailurePolicy: { rules: { action: string; onExitCodes?: { containerName: string; values: number[] } }[] };
  }
  interface Thing {
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
    spec: JobSpec & {
      concurrencyPolicy: string;
      schedule: string;
      jobTemplate: { spec: JobSpec };
      accessModes: string[];
    };
  }
  const things = blocks
    .filter(({ language, text }) => language === "yaml" && text.includes("apiVersion:"))
    .flatMap(({ text }) => parseAllDocuments(text, { strict: true, uniqueKeys: true }))
    .map((document) => {
      if (document.errors.length + document.warnings.length > 0) throw document.errors[0] ?? document.warnings[0];
      return document.toJS() as Thing;
    });
  const thing = (kind: string): Thing => {
    const found = things.find((each) => each.kind === kind);
    if (!found) throw new Error(`The page has no ${kind}.`);
    return found;
  };
  const claims = things.filter(({ kind }) => kind === "PersistentVolumeClaim");
  const cron = thing("CronJob");
  const job = thing("Job");
  const podOf = ({ template }: JobSpec): Pod => template.spec;

  /** `$(NAME)` in command and args, as the kubelet replaces it: unknown names stay, `$$` is `$`. */
  const expanded = (text: string, env: Record<string, string>): string =>
    text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (whole, name?: string) =>
      name === undefined ? "$" : (env[name] ?? whole),
    );

  test("the things there are", () => {
    expect(things.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      "v1 Namespace",
      "v1 ServiceAccount",
      "v1 PersistentVolumeClaim",
      "batch/v1 CronJob",
      "v1 PersistentVolumeClaim",
      "batch/v1 Job",
    ]);
    for (const { kind, metadata } of things) if (kind !== "Namespace") expect(metadata.namespace).toBe("callarchive");
  });

  describe.each([
    ["CronJob", podOf(cron.spec.jobTemplate.spec)],
    ["Job", podOf(job.spec)],
  ])("the pod of the %s", (_, pod) => {
    const [container] = pod.containers;
    const text = container.args.join(" ");

    test("may do little, and has time to end", () => {
      expect(pod.restartPolicy).toBe("Never");
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(30);
      expect(pod.serviceAccountName).toBe(thing("ServiceAccount").metadata.name);
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 });
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(container.resources.limits.memory).toBe("512Mi");
    });

    test("writes only where it may", () => {
      const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);
      for (const { name } of container.volumeMounts) expect(pod.volumes.map((volume) => volume.name)).toContain(name);
      for (const { persistentVolumeClaim } of pod.volumes)
        if (persistentVolumeClaim)
          expect(claims.map(({ metadata }) => metadata.name)).toContain(persistentVolumeClaim.claimName);
      // The image's working folder, which relative paths and the archive are in.
      expect(mounts).toContain("/data");
      expect(mounts).toContain(container.env.find(({ name }) => name === "TMPDIR")?.value);
      for (const path of text.match(/(?<=[\s"])\/(?!bin)[\w-]+/g) ?? []) expect(mounts).toContain(path);
    });

    test("holds no keys, and does not take the node's", () => {
      expect(container.env.map(({ name }) => name).filter((name) => /KEY|SECRET|TOKEN/.test(name))).toEqual([]);
      expect(container.env).toContainEqual({ name: "ALIBABA_CLOUD_ECS_METADATA_DISABLED", value: "true" });
      for (const { value } of container.env) expect(typeof value).toBe("string");
    });
  });

  test("the CronJob never overlaps, and its times fit", () => {
    expect(cron.spec.concurrencyPolicy).toBe("Forbid");
    const spec = cron.spec.jobTemplate.spec;
    expect(spec.backoffLimit).toBe(0);
    const text = podOf(spec).containers[0].args.join(" ");
    const most = seconds(flagValue(text, "--max-duration"));
    expect(spec.activeDeadlineSeconds).toBeGreaterThan(most + 60);
    expect(spec.activeDeadlineSeconds).toBeLessThan(3600);
    expect(claims[0]?.spec.accessModes).toEqual(["ReadWriteOnce"]);
    expect(text).toContain("--since last --new");
  });

  const runPod = async (here: Machine, pod: Pod, more: Record<string, string> = {}): Promise<Ran> => {
    const [container] = pod.containers;
    const env = { ...Object.fromEntries(container.env.map(({ name, value }) => [name, here.local(value)])), ...more };
    for (const { mountPath } of container.volumeMounts) mkdirSync(here.path(mountPath), { recursive: true });
    const argv = [...(container.command ?? ["callarchive"]), ...container.args].map((text) =>
      here.local(expanded(text, env)).replace(`${here.root}/bin/sh`, "/bin/sh"),
    );
    return here.run(argv, "/data", env);
  };

  test("the CronJob's command runs, after a first run with a date", async () => {
    const here = await machine();
    const pod = podOf(cron.spec.jobTemplate.spec);
    expect((await runPod(here, pod)).code).toBe(EXIT.usage);
    const first = structuredClone(pod);
    first.containers[0].args = pod.containers[0].args.map((arg) => (arg === "last" ? "2025-07-14" : arg));
    expect((await runPod(here, first)).code).toBe(0);
    const id = ring(here);
    const ran = await runPod(here, pod);
    expect(parseLines(ran.stderr).at(-1)).toMatchObject({ event: "summary", exported: 1, exitCode: 0 });
    expect(here.ids("/data/calls").sort()).toEqual([...here.cloud.ids()].sort());
    expect(here.ids("/data/calls")).toContain(id);
  });

  test("the Job is indexed, and gives up an index only for what no repetition mends", () => {
    const { spec } = job;
    const [container] = podOf(spec).containers;
    expect(spec).toMatchObject({ completionMode: "Indexed", completions: 8, parallelism: 4, backoffLimitPerIndex: 3 });
    // With it goes a limit per index alone.
    expect(spec.backoffLimit).toBeUndefined();
    expect(container.args[0]).toContain(`--shard "$(( $JOB_COMPLETION_INDEX + 1 ))/${spec.completions}"`);
    expect(container.args[0]).toMatch(/^exec callarchive /);
    expect(container.args[0]).not.toContain("\n");
    const exits = spec.podFailurePolicy.rules.find(({ action }) => action === "FailIndex")?.onExitCodes;
    expect(exits).toMatchObject({ containerName: container.name, values: [EXIT.usage, EXIT.partial, EXIT.denied] });
  });

  test("the Job's shards, each with an archive of its own, have each call once", async () => {
    const here = await machine();
    const pod = podOf(job.spec);
    const folders: string[] = [];
    for (let index = 0; index < job.spec.completions; index += 1) {
      rmSync(here.path("/data"), { recursive: true, force: true });
      const ran = await runPod(here, pod, { JOB_COMPLETION_INDEX: String(index) });
      expect([index, ran.code]).toEqual([index, 0]);
      expect(existsSync(here.path("/data/callarchive.db"))).toBe(true);
      folders.push(`/out/shard-${index}`);
    }
    expect(folders.flatMap((folder) => here.ids(folder)).sort()).toEqual([...here.cloud.ids()].sort());
  });
});

test("the RAM policy is the README's, and the role is for the page's service account", () => {
  const policies = blocks.filter(({ language }) => language === "json").map(({ text }) => JSON.parse(text));
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, policy = ""] = /```json\n(\{\n {2}"Version"[\s\S]*?)```/.exec(readme) ?? [];
  expect(policies[0]).toEqual(JSON.parse(policy));
  expect(JSON.stringify(policies[1])).toContain('"system:serviceaccount:callarchive:callarchive"');
});

describe("Dockerfile", () => {
  const text = readFileSync(join(ROOT, "Dockerfile"), "utf8");
  const instructions = text
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, name = "", rest = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
      return { name, rest };
    });
  const stages = instructions.reduce<(typeof instructions)[]>((all, each) => {
    if (each.name === "FROM") all.push([]);
    all.at(-1)?.push(each);
    return all;
  }, []);
  const of = (stage: typeof instructions | undefined, name: string): string[] =>
    (stage ?? []).filter((each) => each.name === name).map(({ rest }) => rest);

  test("lints clean", () => {
    expect(validate(text).map(({ message, range }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
  });

  test("builds in one stage and runs in another, as a numbered user that is not root", () => {
    const [build, runtime] = stages;
    expect(stages).toHaveLength(2);
    expect([...of(build, "FROM"), ...of(runtime, "FROM")]).toEqual(["node:24-slim AS build", "node:24-slim"]);
    expect(of(build, "RUN").join(" ")).toMatch(/npm ci .*npm run build .*npm prune --omit=dev/);
    expect(of(runtime, "USER")).toEqual(["1000:1000"]);
    expect(of(runtime, "WORKDIR").at(-1)).toBe("/data");
    expect(of(runtime, "VOLUME")).toEqual(["/data"]);
    expect(of(runtime, "ENTRYPOINT")).toEqual(['["callarchive"]']);
    for (const source of of(runtime, "COPY")) expect(source).toMatch(/^--from=build \/build\//);
  });

  test("takes in what it names, and nothing else can get in", () => {
    const lines = readFileSync(join(ROOT, ".dockerignore"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    const allowed = lines.slice(1).map((line) => line.replace(/^!/, ""));
    expect(lines[0]).toBe("*");
    const copied = of(stages[0], "COPY").flatMap((rest) => rest.split(" ").slice(0, -1));
    expect(copied.sort()).toEqual(allowed.sort());
    for (const name of copied) expect(existsSync(join(ROOT, name)), name).toBe(true);
    expect(text).not.toMatch(/KEY|SECRET|TOKEN|PASSWORD|npmrc/i);
  });
});
