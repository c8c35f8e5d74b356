import type { Input } from "../../cli/command.ts";
import { EXIT, type ExitCode } from "../../cli/exit-codes.ts";
import type { PullCommandFlags } from "../../cli/options.ts";
import { count, duration, plural, size } from "../../cli/terminal/format.ts";
import { createProgress } from "../../cli/terminal/progress.ts";
import { listedLate, throttledLine } from "../../cli/terminal/summary.ts";
import { sumOf } from "../../core/counts.ts";
import { writeErrorFile } from "../error-file.ts";
import { codeOf, tellProgress } from "../export/export.ts";
import { checkApart } from "../export/outputs.ts";
import { askedFacts, selectionFacts, selectionOf } from "../selection/selection.ts";
import { withSession } from "../session.ts";
import { troubleFacts, troubleFigures, troubleOf } from "../trouble.ts";
import { checkFileWritable } from "../writable.ts";
import { askedFor, cloudOf, fetchSelection, knownBy, plan } from "./fetch.ts";

/** Brings a selection into the archive. */
export const runPull = async (input: Input<PullCommandFlags>): Promise<ExitCode> => {
  const { flags, io, talk } = input;
  checkApart(flags, undefined, io);
  const selection = await selectionOf(input, knownBy(flags, io));
  if (flags.dryRun) return plan(input, selection);
  checkFileWritable(flags.errorFile, "--error-file", io);
  const facts = selectionFacts(input, selection);
  const cloud = cloudOf(input);
  const options = { facts, writes: true, create: true, asked: askedFacts(flags), beforeCreation: cloud };
  return withSession(input, options, async (session) => {
    const { archive, begun, closing, ending } = session;
    const progress = await createProgress(io, flags, talk);
    const got = await fetchSelection(input, cloud, session, selection, progress).catch(async (error: unknown) => {
      await tellProgress(input, archive, askedFor(selection, flags));
      throw error;
    });
    await writeErrorFile(flags, io, archive, { closing, ending, log: talk.log });
    const counts = await archive.counts();
    const states = {
      ...counts,
      open: counts.open + got.running,
      missing: counts.missing + got.absent,
      failed: counts.failed + got.unreadable,
    };
    const selected = sumOf(states);
    const trouble = await troubleOf(archive, flags, selection);
    const code = codeOf(states, got, trouble.uncounted);
    const ms = io.now().getTime() - begun.getTime();
    talk.record("summary", { ...got, ...states, selected, ...troubleFacts(trouble), ms, exitCode: code });
    const sum = Object.entries(states).map(([state, n]) => `${count(n)} ${state}`);
    talk.say(`${count(selected)} selected = ${sum.join(" + ")}`, code === EXIT.complete ? "green" : "yellow");
    for (const line of trouble.lines) talk.say(line);
    talk.say(
      `${plural(got.settled, "call")} asked for (${size(got.bytes)}), ${count(got.known)} known from before; ${duration(ms)}`,
    );
    if (got.listedLate > 0) talk.say(listedLate(got));
    for (const line of throttledLine(got.throttled)) talk.say(line);
    if (got.limited) talk.say("--limit ended the selection; there may be more.");
    return {
      code,
      detail: { ...facts, selected, ...states, ...troubleFacts(trouble) },
      figures: {
        calls: { selected, ...states },
        bytes: got.bytes,
        trouble: troubleFigures(trouble, states),
        runningSince: got.runningSince,
      },
      reported: true,
    };
  });
};
