import type { Archive } from "../../core/archive.ts";
import { ClockSkewed, messageOf, NoArchive, NotFound, Refused } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import { sumOf } from "../../core/tally.ts";
import type { Input } from "../command.ts";
import { EXIT, type ExitCode, exitCodeOf } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import type { DoctorFlags } from "../options.ts";
import { paint, plural } from "../render.ts";
import { archiveOf, archiveRefusal } from "../wire.ts";
import { type Cloud, connect, iceSdkVersion, proxyInUse } from "../wire-cloud.ts";
import { agentLists, SilentAgent } from "./agent-check.ts";
import { type Binding, bindingIn, bindingName, bindingOf, mismatch } from "./binding.ts";

interface Check {
  check: string;
  ok: boolean;
  found: string;
  exitCode: ExitCode;
}

/** An id that no call has: asking for it harms nothing, and the answer tells whether asking is permitted. */
const NOBODY = "00000000000000000000000000000000";
const SKEW_LIMIT_S = 15 * 60;
const NODE = [20, 19] as const;

/** Each check goes on where the one before failed, as far as it can; the first failure decides the exit code. */
export const runDoctor = async ({ flags, io, talk }: Input<DoctorFlags>): Promise<ExitCode> => {
  const checks: Check[] = [];
  const tell = (check: Check): void => {
    checks.push(check);
    const { exitCode: _, ...shown } = check;
    const mark = paint(talk.color, check.ok ? "green" : "red", check.ok ? "ok  " : "FAIL");
    io.stdout.write(
      flags.json
        ? `${JSON.stringify(shown)}\n`
        : `${mark}  ${check.check.padEnd(12)} ${indented(printable(check.found))}\n`,
    );
  };
  const examine = async (check: string, look: () => Promise<string>, where = ""): Promise<void> => {
    try {
      tell({ check, ok: true, found: where + (await look()), exitCode: EXIT.complete });
    } catch (error) {
      const exitCode = error instanceof SilentAgent ? EXIT.partial : exitCodeOf(error);
      const found = where + messageOf(error);
      tell({ check, ok: false, found, exitCode: exitCode === EXIT.usage ? EXIT.failure : exitCode });
    }
  };

  await examine("node", async () => nodeVersion(io.nodeVersion));
  await examine("proxy", async () => {
    const proxy = proxyInUse(io.env);
    return proxy === undefined ? "none" : `${proxy}, from the environment`;
  });
  let cloud: Cloud | undefined;
  let here: Binding = {};
  await examine("credentials", async () => {
    cloud = await connect({ ...flags, retries: Math.min(flags.retries, 1) }, io, talk);
    const { provider, accessKeyId } = await cloud.credentials.get();
    return `from ${provider}, key ${masked(accessKeyId)}`;
  });
  if (cloud) {
    const { ims, endpoint, region, addressFlag, client, serverTime } = cloud;
    const where = `${endpoint.origin} (${regionText(flags, region)}): `;
    await examine("endpoint", async () => ((await serverTime()) ? "reached" : "reached, says no time"), where);
    await examine("clock", async () => clock(await serverTime(), io.now()));
    await examine("client", async () => {
      const version = await iceSdkVersion();
      if (client === "sdk") return `@alicloud/ice20201109 ${version}`;
      return version ? "built in" : "built in (@alicloud/ice20201109 is not installed; it is optional)";
    });
    await examine("describe", () => permitted("ice:DescribeAIAgentInstance", () => ims.describeInstance(NOBODY)));
    const start = io.now();
    const query = { agentId: NOBODY, start: new Date(start.getTime() - 60_000), end: start, page: 1, size: 1 };
    await examine("list", () => permitted("ice:ListAIAgentInstance", () => ims.listInstances(query)));
    for (const agentId of new Set(flags.agent))
      await examine("agent", () =>
        agentLists({ ims, addressFlag }, agentId, () => existingArchive(flags, io), io.now()),
      );
    await examine("account", async () => {
      here = await bindingIn(cloud as Cloud);
      return here.account ?? "not known (STS gave no answer); the account of the archive is not checked";
    });
    await cloud.close();
  }
  await examine("archive", async () => {
    const archive = await existingArchive(flags, io);
    const why = archiveRefusal(flags, io);
    if (why !== undefined) {
      await archive?.close();
      throw new Error(`${flags.archive} cannot be written: ${why}. Name another place with --archive.`);
    }
    if (!archive) return `${flags.archive}: none yet, a first pull makes it`;
    const { counts } = await archive.summary();
    const binding = await bindingOf(archive);
    await archive.close();
    const reason = mismatch(String(flags.archive), binding, here);
    if (reason !== undefined) throw new Error(reason);
    const whose = bindingName(binding);
    const calls = plural(sumOf(counts), "call");
    return `${flags.archive}: ${calls}${whose && ` of ${whose}`}`;
  });
  return checks.find(({ ok }) => !ok)?.exitCode ?? EXIT.complete;
};

const existingArchive = (flags: DoctorFlags, io: Io): Promise<Archive | undefined> =>
  archiveOf(flags, io, false).catch((error: unknown) => {
    if (error instanceof NoArchive) return undefined;
    throw error;
  });

const regionText = ({ endpoint }: DoctorFlags, region: string | undefined): string => {
  if (endpoint === undefined) return `region ${region}`;
  return region === undefined ? "set by --endpoint: --region is not used" : `region ${region}, set by --endpoint`;
};

/** Enough of a key's id to tell it from others: at most four characters of each end, and no more than half of it. */
const masked = (id: string): string => {
  const shown = Math.min(4, Math.floor(id.length / 4));
  return `${id.slice(0, shown)}…${shown > 0 ? id.slice(-shown) : ""}`;
};

const indented = (text: string): string => text.replaceAll("\n", `\n${" ".repeat(19)}`);

const nodeVersion = (version: string): string => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > NODE[0] || (major === NODE[0] && minor >= NODE[1])) return version;
  throw new Error(`${version} is too old: install Node.js ${NODE.join(".")} or newer.`);
};

const clock = (server: Date | undefined, now: Date): string => {
  if (!server) return "the service says no time to compare with";
  const off = Math.round((now.getTime() - server.getTime()) / 1000);
  const words = off === 0 ? "exact" : `${Math.abs(off)} s ${off > 0 ? "ahead" : "behind"}`;
  if (Math.abs(off) < SKEW_LIMIT_S) return words;
  throw new ClockSkewed(`${words}: the service refuses calls over 15 minutes off. Set the clock (NTP).`, {
    code: "Clock",
  });
};

/** A permitted request for something that does not exist is refused for that reason, not for lack of permission. */
const permitted = async (action: string, ask: () => Promise<unknown>): Promise<string> => {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof NotFound || error instanceof Refused)) throw error;
  }
  return `${action} is permitted`;
};
