import { ClockSkewed, messageOf, NoArchive, NotFound, Refused } from "../../core/errors.ts";
import type { Input } from "../command.ts";
import { EXIT, type ExitCode, exitCodeOf } from "../exit-codes.ts";
import type { DoctorFlags } from "../options.ts";
import { paint } from "../render.ts";
import { archiveOf, archiveRefusal } from "../wire.ts";
import { type Cloud, connect, iceSdkVersion, proxyInUse } from "../wire-cloud.ts";

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
      flags.json ? `${JSON.stringify(shown)}\n` : `${mark}  ${check.check.padEnd(12)} ${indented(check.found)}\n`,
    );
  };
  const examine = async (check: string, look: () => Promise<string>): Promise<void> => {
    try {
      tell({ check, ok: true, found: await look(), exitCode: EXIT.complete });
    } catch (error) {
      const exitCode = exitCodeOf(error);
      tell({ check, ok: false, found: messageOf(error), exitCode: exitCode === EXIT.usage ? EXIT.failure : exitCode });
    }
  };

  await examine("node", async () => nodeVersion(io.nodeVersion));
  await examine("proxy", async () => {
    const proxy = proxyInUse(io.env);
    return proxy === undefined ? "none" : `${proxy}, from the environment`;
  });
  let cloud: Cloud | undefined;
  await examine("credentials", async () => {
    cloud = await connect({ ...flags, retries: Math.min(flags.retries, 1) }, io, talk);
    return `from ${(await cloud.credentials.get()).provider}`;
  });
  if (cloud) {
    const { ims, endpoint, client, serverTime } = cloud;
    await examine("endpoint", async () =>
      `${endpoint.origin}, reached`.concat((await serverTime()) ? "" : ", says no time"),
    );
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
    await cloud.close();
  }
  await examine("archive", async () => {
    const archive = await archiveOf(flags, io, false).catch((error: unknown) => {
      if (error instanceof NoArchive) return undefined;
      throw error;
    });
    const why = archiveRefusal(flags, io);
    if (why !== undefined) {
      await archive?.close();
      throw new Error(`${flags.archive} cannot be written: ${why}. Name another place with --archive.`);
    }
    if (!archive) return `${flags.archive}: none yet, a first pull makes it`;
    const { counts } = await archive.summary();
    await archive.close();
    return `${flags.archive}: ${Object.values(counts).reduce((sum, n) => sum + n, 0)} calls`;
  });
  return checks.find(({ ok }) => !ok)?.exitCode ?? EXIT.complete;
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
