import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { type Archive, ArchiveDamaged } from "../../core/archive.ts";
import { NoArchive, UsageError } from "../../core/errors.ts";
import { standInOf } from "../../core/stand-in.ts";
import { isTroubled } from "../../core/state.ts";
import { addressOf } from "../../sources/calls.ts";
import { type AgentRange, callsByRange, type Survey } from "../../sources/ranges.ts";
import { archiveOf } from "../archive.ts";
import { bindArchive } from "../binding.ts";
import type { AppContext } from "../context.ts";
import { knownBy, MARGIN_MS } from "../pull/fetch.ts";
import { isKnown, neverListed, warnOfSilent, whatToCheck } from "../pull/never-listed.ts";
import type { VerifyRequest } from "../requests.ts";
import { cursorName, selectionOf } from "../selection/selection.ts";
import type { Finding } from "./finding.ts";
import { verifyOutput } from "./verify-output.ts";

/**
Checks an archive, outputs against their manifests, and the archive against what the service lists.

@param onFinding told of everything that is not as it should be
@returns how many findings there were
*/
export const runVerify = async (
  request: VerifyRequest,
  context: AppContext,
  onFinding: (finding: Finding) => void,
): Promise<number> => {
  const { host, log } = context;
  if (!request.remote && [request.agents, request.since, request.until].some((value) => value !== undefined))
    throw new UsageError("--agent, --since and --until go with --remote: the archive and outputs are checked whole.");
  let found = 0;
  const tell = (finding: Finding): void => {
    found += 1;
    onFinding(finding);
  };
  const place = request.archive === false ? "" : request.archive;
  const archive = await archiveOf(request, host, false).catch((error: unknown) => {
    if (error instanceof ArchiveDamaged) {
      tellDamage(error, place, tell);
      return undefined;
    }
    // Outputs can be checked where no archive is.
    const isOptional = request.outputs.length > 0 && !request.archiveNamed && !request.remote;
    if (error instanceof NoArchive && isOptional) return undefined;
    throw error;
  });
  try {
    if (archive) log("info", "archive-checked", { documents: await verifyArchive(archive, place, tell) });
    for (const output of request.outputs) {
      const { files, archive: owner } = await verifyOutput(resolve(host.cwd, output), output, tell);
      log("info", "output-checked", { output, files });
      if (archive && owner !== undefined && owner !== (await archive.fact("id")))
        log("info", "anothers-output", { output, archive: owner });
    }
    if (request.remote && archive)
      await verifyRemote(request, context, archive, tell).catch((error: unknown) => tellDamage(error, place, tell));
  } finally {
    await archive?.close();
  }
  return found;
};

/** What is damaged is a finding; any other error ends the command. */
const tellDamage = (error: unknown, where: string, tell: (finding: Finding) => void): void => {
  if (!(error instanceof ArchiveDamaged)) throw error;
  tell({ where, what: error.message });
};

const verifyArchive = async (archive: Archive, where: string, tell: (finding: Finding) => void): Promise<number> => {
  for (const what of await archive.integrity()) tell({ where, what });
  let documents = 0;
  const count = (n: number): void => {
    documents += n;
  };
  await verifyDocuments(archive, tell, count).catch((error: unknown) => tellDamage(error, where, tell));
  return documents;
};

const verifyDocuments = async (
  archive: Archive,
  tell: (finding: Finding) => void,
  count: (documents: number) => void,
): Promise<void> => {
  for await (const batch of archive.list({ states: ["fetched", "invalid"] }, { documents: true, tolerant: true })) {
    for (const { id, document } of batch) {
      count(1);
      if (!document) tell({ where: id, what: "its document cannot be read" });
      else if (createHash("sha256").update(document.bytes).digest("hex") !== document.sha256)
        tell({ where: id, what: "its document is not what was stored (SHA-256)" });
    }
  }
};

/** What the service lists and the archive has not settled, and what the archive has and the service lists no more. */
const verifyRemote = async (
  request: VerifyRequest,
  context: AppContext,
  archive: Archive,
  tell: (finding: Finding) => void,
): Promise<void> => {
  const { host, log } = context;
  const selection = await selectionOf(request, context, knownBy(request, host));
  if (selection.by !== "range") throw new UsageError("--remote needs --agent and --since.");
  const stretches = await expected(archive, selection.stretches, request, host.now());
  const { connect } = await import("../cloud.ts");
  const cloud = await connect(request, context);
  const listed = await archiveOf({ archive: false }, host, true);
  const surveys: Survey[] = [];
  let seen = 0;
  try {
    await bindArchive(archive, cloud, request);
    for await (const batch of callsByRange({ ims: cloud.ims, log, now: host.now }, stretches, surveys)) {
      const refs = batch.map(({ ref }) => ref);
      const chosen = await listed.select(refs);
      const states = await archive.look(refs);
      for (const [at, { ref, link }] of batch.entries()) {
        if (!chosen[at]?.added) continue;
        seen += 1;
        const state = states[at];
        const where = ref.instanceId ?? (link ? standInOf(addressOf(link)) : "");
        if (state === undefined) tell({ where, what: "the cloud lists it, the archive lacks it" });
        else if (state === "pending" || (isTroubled(state) && !(await isAcknowledged(archive, where))))
          tell({ where, what: `the cloud lists it, in the archive it is ${state}` });
      }
    }
    for (const { stretch, error } of surveys) {
      if (error) tell({ where: `agent ${stretch.agentId}`, what: `could not be listed: ${error.message}` });
      else await tellVanished(archive, listed, stretch, tell);
    }
    if (request.allowEmpty) await warnOfSilent(archive, surveys, cloud, request, log);
    else
      for (const { stretch, complete } of await neverListed(archive, surveys))
        if (complete)
          tell({ where: `agent ${stretch.agentId}`, what: `has never listed a call: ${whatToCheck(cloud)}` });
    log("info", "compared", { calls: seen });
    for (const { agentId, until, end } of stretches)
      log("info", "compared-up-to", { agentId, until: until.toISOString(), end });
  } finally {
    await listed.close();
    await cloud.close();
  }
};

/** Somebody has looked at it: it is no news. */
const isAcknowledged = async (archive: Archive, id: string): Promise<boolean> =>
  (await archive.find(id))?.acknowledged === true;

/**
What the archive may be expected to have: calls up to the cursor, or to the margin where there is none, unless `--until`
says otherwise.

@throws UsageError when nothing is left to compare
*/
const expected = async (
  archive: Archive,
  stretches: readonly AgentRange[],
  { until }: VerifyRequest,
  now: Date,
): Promise<ComparedStretch[]> => {
  const margin = new Date(now.getTime() - MARGIN_MS);
  return Promise.all(
    stretches.map(async (stretch) => {
      if (until !== undefined) return { ...stretch, end: "--until" };
      // The cursor of an agent that has never listed a call stands where the first run began.
      const cursor = (await isKnown(archive, stretch.agentId))
        ? await archive.cursor(cursorName(stretch.agentId, undefined))
        : undefined;
      const end = cursor && cursor < margin ? cursor : margin;
      if (stretch.since < end)
        return { ...stretch, until: end, end: cursor ? "its cursor" : "ten minutes ago; it has no cursor yet" };
      throw new UsageError(
        `There is nothing to compare for agent ${stretch.agentId}: --since is ${stretch.since.toISOString()}, and calls are expected only up to ${end.toISOString()}${cursor ? ", where its cursor stands" : ""}. Give an earlier --since, or say --until.`,
      );
    }),
  );
};

interface ComparedStretch extends AgentRange {
  /** What the stretch ends at, in words. */
  end: string;
}

/** An instance is made at most so long before its call begins, in milliseconds. */
const CREATED_BEFORE_MS = 10 * 60_000;

const tellVanished = async (
  archive: Archive,
  listed: Archive,
  { agentId, since, until }: AgentRange,
  tell: (finding: Finding) => void,
): Promise<void> => {
  // The list goes by when an instance was made, which is a little before its call begins.
  const from = new Date(since.getTime() + CREATED_BEFORE_MS);
  for await (const batch of archive.list({ agents: [agentId], since: from, until })) {
    const states = await listed.look(batch.map(({ id, link }) => (link ? { link } : { instanceId: id })));
    for (const [at, { id, state }] of batch.entries())
      if (states[at] === undefined && state !== "pruned")
        tell({ where: id, what: "the archive has it, the cloud lists it no more" });
  }
};
