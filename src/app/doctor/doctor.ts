import { sumOf } from "../../core/counts.ts";
import { ClockSkewed, messageOf, NotFound, Refused } from "../../core/errors.ts";
import { plural } from "../../core/wording.ts";
import { archiveRefusal } from "../archive.ts";
import { type ArchiveBinding, bindingIn, bindingName, bindingOf, mismatch } from "../binding.ts";
import { type Cloud, connect, iceSdkVersion, proxyInUse } from "../cloud.ts";
import type { AppContext } from "../context.ts";
import { existingArchive } from "../pull/fetch.ts";
import type { DoctorRequest } from "../requests.ts";
import { agentLists } from "./agent.ts";

/** The check of one thing that a run needs. */
export interface Check {
  check: string;
  ok: boolean;
  /** What was found, or what is wrong and what to do. */
  found: string;
  /** Why it is not ok. */
  error?: unknown;
}

/** An id that no call and no agent has; the answer shows whether the request is permitted. */
const UNUSED_ID = "00000000000000000000000000000000";
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
  const examine = async (check: string, look: () => Promise<string>, where = ""): Promise<void> => {
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
  let cloud: Cloud | undefined;
  let here: ArchiveBinding = {};
  await examine("credentials", async () => {
    cloud = await connect({ ...request, retries: Math.min(request.retries, 1) }, context);
    const { provider, accessKeyId } = await cloud.credentials.get();
    return `from ${provider}, key ${masked(accessKeyId)}`;
  });
  if (cloud) {
    const { ims, endpoint, region, addressFlag, client, serverTime } = cloud;
    const where = `${endpoint.origin} (${regionText(request, region)}): `;
    await examine(
      "endpoint",
      async () => ((await serverTime()) ? "reached" : "reached, but its answer has no time"),
      where,
    );
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
  }
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
    const calls = plural(sumOf(counts), "call");
    return `${request.archive}: ${calls}${owner && ` of ${owner}`}`;
  });
  return checks;
};

const regionText = ({ endpoint }: DoctorRequest, region: string | undefined): string => {
  if (endpoint === undefined) return `region ${region}`;
  return region === undefined ? "set by --endpoint: --region is not used" : `region ${region}, set by --endpoint`;
};

/** The ends of a key's id, so that people recognise it: at most four characters each, and at most half of it. */
const masked = (id: string): string => {
  const length = Math.min(4, Math.floor(id.length / 4));
  return `${id.slice(0, length)}…${length > 0 ? id.slice(-length) : ""}`;
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

/** Requests something that does not exist: "not found" means that the action is permitted. */
const checkPermission = async (action: string, request: () => Promise<unknown>): Promise<string> => {
  try {
    await request();
  } catch (error) {
    if (!(error instanceof NotFound || error instanceof Refused)) throw error;
  }
  return `${action} is permitted`;
};
