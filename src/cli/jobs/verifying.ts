import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { type Archive, ArchiveDamaged, isTroubled } from "../../core/archive.ts";
import { NoArchive, UsageError } from "../../core/errors.ts";
import { oneLine } from "../../core/printable.ts";
import { standInOf } from "../../core/stand-in.ts";
import { addressOf } from "../../sources/calls.ts";
import { callsByRange, type Stretch, type Survey } from "../../sources/ranges.ts";
import type { Input } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { VerifyFlags } from "../options.ts";
import { plural } from "../render.ts";
import { cursorName, selectionOf } from "../selection.ts";
import { archiveOf } from "../wire.ts";
import { bound } from "./binding.ts";
import { knownBy, MARGIN_MS } from "./fetching.ts";
import { isKnown, neverListed, tellSilent, whatToCheck } from "./never-listed.ts";
import { verifyOutput } from "./verify-output.ts";

/** Something that is not as it should be: where, and what. */
export interface Finding {
  where: string;
  what: string;
}

/** Checks whatever was asked for; every finding is a line of data. */
export const runVerify = async (input: Input<VerifyFlags>): Promise<ExitCode> => {
  const { args, flags, given, io, talk } = input;
  if (!flags.remote && ["agent", "since", "until"].some((name) => given.has(name)))
    throw new UsageError("--agent, --since and --until go with --remote: the archive and outputs are checked whole.");
  let found = 0;
  const tell = (finding: Finding): void => {
    found += 1;
    io.stdout.write(`${flags.json ? JSON.stringify(finding) : oneLine(`${finding.where}: ${finding.what}`)}\n`);
  };
  const place = flags.archive === false ? "" : flags.archive;
  const archive = await archiveOf(flags, io, false).catch((error: unknown) => {
    if (error instanceof ArchiveDamaged) {
      tellDamage(error, place, tell);
      return undefined;
    }
    // Outputs can be checked where no archive is.
    if (error instanceof NoArchive && args.length > 0 && !given.has("archive") && !flags.remote) return undefined;
    throw error;
  });
  try {
    if (archive) {
      const documents = await verifyArchive(archive, place, tell);
      talk.say(`${plural(documents, "document")} of the archive checked.`);
    }
    for (const output of args) {
      const { files, archive: owner } = await verifyOutput(resolve(io.cwd, output), output, tell);
      talk.say(`${output}: ${plural(files, "file")} checked.`);
      if (archive && owner !== undefined && owner !== (await archive.fact("id")))
        talk.log("info", "anothers-output", { output, archive: owner });
    }
    if (flags.remote && archive)
      await verifyRemote(input, archive, tell).catch((error: unknown) => tellDamage(error, place, tell));
  } finally {
    await archive?.close();
  }
  if (found === 0) talk.say("Everything is as it should be.", "green");
  else talk.say(`${plural(found, "finding")}.`, "red");
  talk.record("summary", { findings: found, exitCode: found === 0 ? EXIT.complete : EXIT.partial });
  return found === 0 ? EXIT.complete : EXIT.partial;
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
  input: Input<VerifyFlags>,
  archive: Archive,
  tell: (finding: Finding) => void,
): Promise<void> => {
  const { flags, io, talk } = input;
  const selection = await selectionOf({ ...input, args: [] }, knownBy(flags, io));
  if (selection.by !== "range") throw new UsageError("--remote needs --agent and --since.");
  const stretches = await expected(archive, selection.stretches, flags, io.now());
  const { connect } = await import("../wire-cloud.ts");
  const cloud = await connect(flags, io, talk);
  const listed = await archiveOf({ archive: false }, io, true);
  const surveys: Survey[] = [];
  let seen = 0;
  try {
    await bound(archive, cloud, flags);
    for await (const batch of callsByRange({ ims: cloud.ims, log: talk.log, now: io.now }, stretches, surveys)) {
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
    if (flags.allowEmpty) await tellSilent(archive, surveys, cloud, flags, talk.log);
    else
      for (const { stretch, complete } of await neverListed(archive, surveys))
        if (complete)
          tell({ where: `agent ${stretch.agentId}`, what: `has never listed a call: ${whatToCheck(cloud)}` });
    talk.say(`${plural(seen, "call")} listed by the cloud compared.`);
    for (const { agentId, until, end } of stretches)
      talk.say(`Agent ${agentId}: compared up to ${until.toISOString()} (${end}).`);
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
  stretches: readonly Stretch[],
  { until }: VerifyFlags,
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

interface ComparedStretch extends Stretch {
  /** What the stretch ends at, in words. */
  end: string;
}

/** An instance is made at most so long before its call begins, in milliseconds. */
const CREATED_BEFORE_MS = 10 * 60_000;

const tellVanished = async (
  archive: Archive,
  listed: Archive,
  { agentId, since, until }: Stretch,
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
