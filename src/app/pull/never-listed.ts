import type { Archive } from "../../core/archive.ts";
import type { Log } from "../../core/ports.ts";
import type { Survey } from "../../sources/ranges.ts";
import type { Cloud } from "../cloud.ts";

type Known = Pick<Archive, "list" | "fact">;

/** Remembers agents whose calls were listed but all belong to other shards, so that they do not count as silent. */
export const rememberListed = async (
  archive: Known & Pick<Archive, "setFact">,
  surveys: readonly Survey[],
): Promise<void> => {
  for (const { stretch, seen } of surveys)
    if (seen > 0 && !(await isKnown(archive, stretch.agentId)))
      await archive.setFact(`listed:${stretch.agentId}`, "yes");
};

/** The agents of which neither this run nor the archive has ever seen a call. */
export const neverListed = async (archive: Known | undefined, surveys: readonly Survey[]): Promise<Survey[]> => {
  const silent: Survey[] = [];
  for (const survey of surveys)
    if (survey.seen === 0 && !(archive && (await isKnown(archive, survey.stretch.agentId)))) silent.push(survey);
  return silent;
};

/** Whether the archive has seen a call of the agent. */
export const isKnown = async (archive: Known, agentId: string): Promise<boolean> => {
  for await (const batch of archive.list({ agents: [agentId], limit: 1 })) if (batch.length > 0) return true;
  return (await archive.fact(`listed:${agentId}`)) !== undefined;
};

/** Warns about agents that have never listed a call. Returns their number; 0 with `allowEmpty`. */
export const warnOfSilent = async (
  archive: Known | undefined,
  surveys: readonly Survey[],
  cloud: Pick<Cloud, "addressFlag">,
  { allowEmpty }: { allowEmpty?: boolean },
  log: Log,
): Promise<number> => {
  const silent = (await neverListed(archive, surveys)).filter(({ complete }) => complete);
  for (const { stretch } of silent)
    log("warn", "never-listed", { agentId: stretch.agentId, message: whatToCheck(cloud) });
  return allowEmpty ? 0 : silent.length;
};

/** What to check when an agent lists no call. */
export const whatToCheck = ({ addressFlag }: Pick<Cloud, "addressFlag">): string => `check --agent and ${addressFlag}`;
