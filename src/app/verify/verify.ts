import { hash } from "node:crypto";
import { resolve } from "node:path";
import { type Archive, ArchiveDamaged, type Reader, type Retention } from "../../core/archive.ts";
import { qualifiedId } from "../../core/conversation-id.ts";
import { NoArchive, UsageError } from "../../core/errors.ts";
import type { Inbox } from "../../core/inbox.ts";
import type { RecordFacts } from "../../core/records.ts";
import { standInOf } from "../../core/stand-in.ts";
import { isTroubled } from "../../core/state.ts";
import { addressOf } from "../../sources/calls.ts";
import { type AgentRange, callsByRange, type Survey } from "../../sources/ranges.ts";
import { archiveOf } from "../archive.ts";
import { bindArchive } from "../binding.ts";
import type { AppContext } from "../context.ts";
import { knownBy, MARGIN_MS } from "../pull/fetch.ts";
import { isKnown, neverListed, warnOfSilent, whatToCheck } from "../pull/never-listed.ts";
import { inboxOf } from "../receive/inbox.ts";
import type { VerifyRequest } from "../requests.ts";
import { cursorName, selectionOf } from "../selection/selection.ts";
import type { Finding } from "./finding.ts";
import { verifyMedia } from "./media.ts";
import { verifyOutput } from "./verify-output.ts";

/**
Checks an archive, outputs against their manifests, and the archive against what the service lists.

@param onFinding called for each fault
@returns how many faults there were
*/
export const runVerify = async (
  request: VerifyRequest,
  context: AppContext,
  onFinding: (finding: Finding) => void,
): Promise<number> => {
  const { host, log } = context;
  if (!request.remote && [request.agents, request.since, request.until].some((value) => value !== undefined))
    throw new UsageError(
      "--agent, --since and --until need --remote: the archive and outputs are always checked whole.",
    );
  if (request.remote && request.sources?.some((source) => source !== "calls"))
    throw new UsageError("--remote compares calls only, because only calls are listed again: it needs no --source.");
  let findings = 0;
  const report = (finding: Finding): void => {
    findings += 1;
    onFinding(finding);
  };
  const place = request.archive === false ? "" : request.archive;
  const archive = await archiveOf(request, context, false).catch((error: unknown) => {
    if (error instanceof ArchiveDamaged) {
      reportDamage(error, place, report);
      return undefined;
    }
    // Outputs can be checked without an archive.
    const isOptional = request.outputs.length > 0 && !request.archiveNamed && !request.remote;
    if (error instanceof NoArchive && isOptional) return undefined;
    throw error;
  });
  try {
    for (const what of await inboxProblems(request.archive, host)) report({ where: `${place}.inbox`, what });
    if (archive) {
      const documents = await verifyArchive(archive, request, place, report);
      const files = await verifyMedia(archive, request.archive, host, report);
      log("info", "archive-checked", { documents, ...(files > 0 && { files }) });
    }
    for (const output of request.outputs) {
      const { files, archive: owner } = await verifyOutput(resolve(host.cwd, output), output, report);
      log("info", "output-checked", { output, files });
      if (archive && owner !== undefined && owner !== (await archive.fact("id")))
        log("info", "anothers-output", { output, archive: owner });
    }
    if (request.remote && archive)
      await verifyRemote(request, context, archive, report).catch((error: unknown) =>
        reportDamage(error, place, report),
      );
  } finally {
    await archive?.close();
  }
  return findings;
};

/** What is wrong with the records that wait for the archive. */
const inboxProblems = async (archive: string | false, host: AppContext["host"]): Promise<string[]> => {
  let inbox: Inbox | undefined;
  try {
    inbox = await inboxOf(archive, host);
    return (await inbox?.integrity()) ?? [];
  } catch (error) {
    if (error instanceof ArchiveDamaged || error instanceof UsageError) return [error.message];
    throw error;
  } finally {
    await inbox?.close();
  }
};

/** Reports damage of the archive as a finding; any other error ends the command. */
const reportDamage = (error: unknown, where: string, report: (finding: Finding) => void): void => {
  if (!(error instanceof ArchiveDamaged)) throw error;
  report({ where, what: error.message });
};

const verifyArchive = async (
  archive: Retention & Reader,
  request: VerifyRequest,
  where: string,
  report: (finding: Finding) => void,
): Promise<number> => {
  for (const what of await archive.integrity()) report({ where, what });
  let documents = 0;
  const count = (n: number): void => {
    documents += n;
  };
  await verifyDocuments(archive, request, report, count).catch((error: unknown) => reportDamage(error, where, report));
  return documents;
};

const verifyDocuments = async (
  archive: Reader,
  { sources }: VerifyRequest,
  report: (finding: Finding) => void,
  count: (documents: number) => void,
): Promise<void> => {
  const filter = { states: ["fetched", "invalid"] as const, ...(sources && { sources }) };
  for await (const batch of archive.list(filter, { documents: true, tolerant: true })) {
    for (const conversation of batch) {
      const { document, records = [], further } = conversation;
      const where = qualifiedId(conversation);
      count(Math.max(1, records.length));
      if (!document) report({ where, what: "its document cannot be read" });
      else if (document.bytes !== further && sha256Of(document.bytes) !== document.sha256)
        report({ where, what: "its document has changed since it was stored (SHA-256)" });
      if (further)
        for (const id of changedRecords(records, further))
          report({ where, what: `its record ${id} has changed since it was stored (SHA-256)` });
    }
  }
};

const sha256Of = (bytes: Uint8Array): string => hash("sha256", bytes);

/** The ids of records whose data is not what was stored. `further` holds the data of all, as one JSON array. */
const changedRecords = (records: readonly RecordFacts[], further: Uint8Array): string[] => {
  let from = 1;
  return records.flatMap(({ id, bytes, sha256 }) => {
    const data = further.subarray(from, from + bytes);
    from += bytes + 1;
    return sha256Of(data) === sha256 ? [] : [id];
  });
};

/** Reports calls that the service lists and the archive has not settled, and calls that only the archive has. */
const verifyRemote = async (
  request: VerifyRequest,
  context: AppContext,
  archive: Archive,
  report: (finding: Finding) => void,
): Promise<void> => {
  const { host, log } = context;
  const selection = await selectionOf(request, context, knownBy(request, context));
  if (selection.by !== "range") throw new UsageError("--remote needs --agent and --since.");
  const stretches = await rangesToCompare(archive, selection.stretches, request, host.now());
  const { connect } = await import("../cloud.ts");
  const cloud = await connect(request, context);
  const listed = await archiveOf({ archive: false }, context, true);
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
        if (state === undefined) report({ where, what: "the cloud lists it, but the archive does not have it" });
        else if (state === "pending" || (isTroubled(state) && !(await isAcknowledged(archive, where))))
          report({ where, what: `the cloud lists it, but in the archive it is ${state}` });
      }
    }
    for (const { stretch, error } of surveys) {
      if (error) report({ where: `agent ${stretch.agentId}`, what: `could not be listed: ${error.message}` });
      else await reportVanished(archive, listed, stretch, report);
    }
    if (request.allowEmpty) await warnOfSilent(archive, surveys, cloud, request, log);
    else
      for (const { stretch, complete } of await neverListed(archive, surveys))
        if (complete)
          report({ where: `agent ${stretch.agentId}`, what: `has never listed a call: ${whatToCheck(cloud)}` });
    log("info", "compared", { calls: seen });
    for (const { agentId, until, end } of stretches)
      log("info", "compared-up-to", { agentId, until: until.toISOString(), end });
  } finally {
    await listed.close();
    await cloud.close();
  }
};

const isAcknowledged = async (archive: Reader, id: string): Promise<boolean> =>
  (await archive.find(id, ["calls"]))?.acknowledged === true;

/**
The ranges to compare: up to `--until`, else up to the cursor, else up to the margin if there is no cursor.

@throws UsageError when nothing is left to compare
*/
const rangesToCompare = async (
  archive: Archive,
  stretches: readonly AgentRange[],
  { until }: VerifyRequest,
  now: Date,
): Promise<ComparedRange[]> => {
  const margin = new Date(now.getTime() - MARGIN_MS);
  return Promise.all(
    stretches.map(async (stretch) => {
      if (until !== undefined) return { ...stretch, end: "--until" };
      // An agent without calls has a cursor at the start of its first run, which is ignored.
      const cursor = (await isKnown(archive, stretch.agentId))
        ? await archive.cursor(cursorName(stretch.agentId, undefined))
        : undefined;
      const end = cursor && cursor < margin ? cursor : margin;
      if (stretch.since < end)
        return { ...stretch, until: end, end: cursor ? "its cursor" : "ten minutes ago; it has no cursor yet" };
      throw new UsageError(
        `There is nothing to compare for agent ${stretch.agentId}: --since is ${stretch.since.toISOString()}, and calls are expected only up to ${end.toISOString()}${cursor ? ", where its cursor stands" : ""}. Give an earlier --since, or set --until.`,
      );
    }),
  );
};

interface ComparedRange extends AgentRange {
  /** What the range ends at, for people. */
  end: string;
}

/** An instance is created at most this long before its call begins, in milliseconds. */
const CREATED_BEFORE_MS = 10 * 60_000;

const reportVanished = async (
  archive: Archive,
  listed: Archive,
  { agentId, since, until }: AgentRange,
  report: (finding: Finding) => void,
): Promise<void> => {
  // The service lists by the time an instance was created, which is a little before its call begins.
  const from = new Date(since.getTime() + CREATED_BEFORE_MS);
  for await (const batch of archive.list({ sources: ["calls"], agents: [agentId], since: from, until })) {
    const states = await listed.look(batch.map(({ id, link }) => (link ? { link } : { instanceId: id })));
    for (const [at, { id, state }] of batch.entries())
      if (states[at] === undefined && state !== "pruned")
        report({ where: id, what: "the archive has it, but the cloud no longer lists it" });
  }
};
