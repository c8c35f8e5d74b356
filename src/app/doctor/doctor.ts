import { sumOf } from "../../core/counts.ts";
import { ClockSkewed, messageOf } from "../../core/errors.ts";
import type { SourceName } from "../../core/transcript.ts";
import { plural } from "../../core/wording.ts";
import { archiveRefusal } from "../archive.ts";
import { type ArchiveBinding, bindingIn, bindingName, bindingOf, mismatch } from "../binding.ts";
import { type Cloud, connect, iceSdkVersion, proxyInUse } from "../cloud.ts";
import type { AppContext } from "../context.ts";
import { existingArchive } from "../pull/fetch.ts";
import type { DoctorRequest } from "../requests.ts";
import { agentLists } from "./agent.ts";
import { type Check, checkPermission, credentialsText, type Examine, reachedText, UNUSED_ID } from "./checks.ts";
import { examineEvents } from "./events.ts";

const SKEW_LIMIT_S = 15 * 60;
const NODE = [20, 19] as const;

/**
Checks everything that a run needs. A failed check does not stop the next, unless that needs its result.

@param onCheck called with each check as soon as it is made
*/
export const runDoctor = async (
  request: DoctorRequest,
  context: AppContext,
  onCheck: (check: Check) => void,
): Promise<Check[]> => {
  const { host } = context;
  const checks: Check[] = [];
  const report = (check: Check): void => {
    checks.push(check);
    onCheck(check);
  };
  const examine: Examine = async (check, look, where = "") => {
    try {
      report({ check, ok: true, found: where + (await look()) });
    } catch (error) {
      report({ check, ok: false, found: where + messageOf(error), error });
    }
  };

  await examine("node", async () => nodeVersion(host.nodeVersion));
  await examine("proxy", async () => {
    const proxy = proxyInUse(host.env);
    return proxy === undefined ? "none" : `${proxy}, from the environment`;
  });
  const sources = request.sources ?? ["calls", ...(await otherSources(request, context))];
  let here: ArchiveBinding = {};
  if (sources.includes("calls")) here = await examineCalls(request, context, examine);
  for (const source of ["chats", "queries"] as const)
    if (sources.includes(source)) await examineEvents(source, request, context, examine);
  await examine("archive", async () => {
    const archive = await existingArchive(request, context);
    const why = archiveRefusal(request, host);
    if (why !== undefined) {
      await archive?.close();
      throw new Error(`${request.archive} cannot be written: ${why}. Name another file with --archive.`);
    }
    if (!archive) return `${request.archive}: does not exist yet; the first pull creates it`;
    const { counts } = await archive.summary();
    const binding = await bindingOf(archive);
    await archive.close();
    const reason = mismatch(String(request.archive), binding, here);
    if (reason !== undefined) throw new Error(reason);
    const owner = bindingName(binding);
    const held = plural(sumOf(counts), "conversation");
    return `${request.archive}: ${held}${owner && ` of ${owner}`}`;
  });
  return checks;
};

/** What pulls of calls need. @returns region and account of this run, as far as known */
const examineCalls = async (request: DoctorRequest, context: AppContext, examine: Examine): Promise<ArchiveBinding> => {
  const { host } = context;
  let cloud: Cloud | undefined;
  let here: ArchiveBinding = {};
  await examine("credentials", async () => {
    cloud = await connect({ ...request, retries: Math.min(request.retries, 1) }, context);
    return credentialsText(cloud);
  });
  if (!cloud) return here;
  const { ims, endpoint, region, addressFlag, client, serverTime } = cloud;
  const where = `${endpoint.origin} (${regionText(request, region)}): `;
  await examine("endpoint", () => reachedText({ serverTime }), where);
  await examine("clock", async () => clock(await serverTime(), host.now()));
  await examine("client", async () => {
    const version = await iceSdkVersion();
    if (client === "sdk") return `@alicloud/ice20201109 ${version}`;
    return version ? "built in" : "built in (@alicloud/ice20201109 is not installed; it is optional)";
  });
  await examine("describe", () =>
    checkPermission("ice:DescribeAIAgentInstance", () => ims.describeInstance(UNUSED_ID)),
  );
  const start = host.now();
  const query = { agentId: UNUSED_ID, start: new Date(start.getTime() - 60_000), end: start, page: 1, size: 1 };
  await examine("list", () => checkPermission("ice:ListAIAgentInstance", () => ims.listInstances(query)));
  for (const agentId of new Set(request.agents))
    await examine("agent", () =>
      agentLists({ ims, addressFlag }, agentId, () => existingArchive(request, context), host.now()),
    );
  await examine("account", async () => {
    here = await bindingIn(cloud as Cloud);
    return here.account ?? "not known (STS gave no answer); the account of the archive is not checked";
  });
  await cloud.close();
  return here;
};

/** The sources besides calls that the archive has. */
const otherSources = async (request: DoctorRequest, context: AppContext): Promise<SourceName[]> => {
  // An archive that cannot be opened has a check of its own.
  const archive = await existingArchive(request, context).catch(() => undefined);
  try {
    const { sources } = (await archive?.summary()) ?? { sources: [] };
    return sources.map(({ source }) => source);
  } finally {
    await archive?.close();
  }
};

const regionText = ({ endpoint }: DoctorRequest, region: string | undefined): string => {
  if (endpoint === undefined) return `region ${region}`;
  return region === undefined ? "set by --endpoint: --region is not used" : `region ${region}, set by --endpoint`;
};

const nodeVersion = (version: string): string => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > NODE[0] || (major === NODE[0] && minor >= NODE[1])) return version;
  throw new Error(`${version} is too old: install Node.js ${NODE.join(".")} or newer.`);
};

const clock = (server: Date | undefined, now: Date): string => {
  if (!server) return "not compared: the service's answer has no time";
  const off = Math.round((now.getTime() - server.getTime()) / 1000);
  const words = off === 0 ? "exact" : `${Math.abs(off)} s ${off > 0 ? "ahead" : "behind"}`;
  if (Math.abs(off) < SKEW_LIMIT_S) return words;
  throw new ClockSkewed(
    `${words}: the service refuses requests when the clock is more than 15 minutes off. Set the clock (NTP).`,
    {
      code: "Clock",
    },
  );
};
