import type { Archive } from "../../core/archive.ts";
import { plural } from "../../core/wording.ts";
import type { Cloud } from "../cloud.ts";
import { isKnown, whatToCheck } from "../pull/never-listed.ts";
import { SilentAgent } from "./silent-agent.ts";

const DAY_MS = 24 * 3_600_000;
/** How many days back an agent's calls are looked for: one request per day, until a call is found. */
const DAYS = 30;

/**
Looks for the agent's latest call, day by day back from now.

@returns what was found, for people
@throws SilentAgent, and the service's error for an unknown agent
*/
export const agentLists = async (
  cloud: Pick<Cloud, "ims" | "addressFlag">,
  agentId: string,
  openArchive: () => Promise<Archive | undefined>,
  now: Date,
): Promise<string> => {
  for (let day = 0; day < DAYS; day += 1) {
    const end = new Date(now.getTime() - day * DAY_MS);
    const query = { agentId, start: new Date(end.getTime() - DAY_MS), end, page: 1, size: 1 };
    if ((await cloud.ims.listInstances(query)).length > 0)
      return `${agentId} lists calls; the latest is ${day === 0 ? "less than 24 hours old" : `${plural(day, "day")} old`}`;
  }
  const archive = await openArchive();
  try {
    if (archive && (await isKnown(archive, agentId)))
      return `${agentId} has listed no call in the last ${DAYS} days; the archive has older ones`;
  } finally {
    await archive?.close();
  }
  throw new SilentAgent(`${agentId} has listed no call in the last ${DAYS} days: ${whatToCheck(cloud)}`);
};
