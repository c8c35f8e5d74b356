import { sumOf } from "../../core/tally.ts";
import type { Input } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { PullCommandFlags } from "../options.ts";
import { checkApart } from "../outputs.ts";
import { createProgress } from "../progress.ts";
import { count, duration, plural, size } from "../render.ts";
import { askedFacts, selectionFacts, selectionOf } from "../selection.ts";
import { writeErrorFile } from "./error-file.ts";
import { codeOf, tellProgress } from "./exporting.ts";
import { askedFor, cloudOf, fetchSelection, knownBy, plan } from "./fetching.ts";
import { withSession } from "./session.ts";
import { throttledLine } from "./summary.ts";

/** Brings a selection into the archive. */
export const runPull = async (input: Input<PullCommandFlags>): Promise<ExitCode> => {
  const { flags, io, talk } = input;
  checkApart(flags, undefined, io);
  const selection = await selectionOf(input, knownBy(flags, io));
  if (flags.dryRun) return plan(input, selection);
  const facts = selectionFacts(input, selection);
  const cloud = cloudOf(input);
  const options = { facts, writes: true, create: true, asked: askedFacts(flags), beforeCreation: cloud };
  return withSession(input, options, async (session) => {
    const { archive, begun } = session;
    const progress = await createProgress(io, flags, talk);
    const got = await fetchSelection(input, cloud, session, selection, progress).catch(async (error: unknown) => {
      await tellProgress(input, archive, askedFor(selection, flags));
      throw error;
    });
    await writeErrorFile(flags, io, archive);
    const counts = await archive.counts();
    const states = {
      ...counts,
      open: counts.open + got.running,
      missing: counts.missing + got.absent,
      failed: counts.failed + got.unreadable,
    };
    const selected = sumOf(states);
    const code = codeOf(states, got);
    const ms = io.now().getTime() - begun.getTime();
    talk.record("summary", { ...got, ...states, selected, ms, exitCode: code });
    const sum = Object.entries(states).map(([state, n]) => `${count(n)} ${state}`);
    talk.say(`${count(selected)} selected = ${sum.join(" + ")}`, code === EXIT.complete ? "green" : "yellow");
    talk.say(
      `${plural(got.settled, "call")} asked for (${size(got.bytes)}), ${count(got.known)} known from before; ${duration(ms)}`,
    );
    for (const line of throttledLine(got.throttled)) talk.say(line);
    if (got.limited) talk.say("--limit ended the selection; there may be more.");
    return {
      code,
      detail: { ...facts, selected, ...states },
      figures: { calls: { selected, ...states }, bytes: got.bytes },
    };
  });
};
