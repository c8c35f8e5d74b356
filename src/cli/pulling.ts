import type { JsonObject } from "../core/transcript.ts";
import type { Input } from "./command.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import { agentsSeen, fetchSelection, plan } from "./fetching.ts";
import type { PullCommandFlags } from "./options.ts";
import { createProgress } from "./progress.ts";
import { count, duration, paint, plural, size } from "./render.ts";
import { selectionFacts, selectionOf } from "./selection.ts";
import { VERSION } from "./version.ts";
import { archiveOf } from "./wire.ts";

/** Brings a selection into the archive. */
export const runPull = async (input: Input<PullCommandFlags>): Promise<ExitCode> => {
  const { args, flags, io, talk, command } = input;
  const selection = await selectionOf(args, flags, io, () => agentsSeen(flags, io));
  if (flags.dryRun) return plan({ args, flags, io, talk }, selection);
  const begun = io.now();
  const facts = selectionFacts(args, flags, selection);
  const archive = await archiveOf(flags, io, true);
  const run = await archive.beginRun({ command, version: VERSION, startedAt: begun.toISOString(), detail: facts });
  let code: ExitCode = EXIT.failure;
  let detail: JsonObject = facts;
  const progress = await createProgress(io, flags, talk);
  try {
    const got = await fetchSelection({ args, flags, io, talk, progress }, archive, selection);
    const { pending: _, ...counts } = await archive.counts();
    const states = { ...counts, open: counts.open + got.unnamed };
    const selected = Object.values(states).reduce((sum, n) => sum + n, 0);
    code = states.missing + states.invalid + states.failed > 0 ? EXIT.partial : EXIT.complete;
    detail = { ...facts, selected, ...states };
    const ms = io.now().getTime() - begun.getTime();
    talk.record("summary", { selected, ...states, known: got.known, bytes: got.bytes, ms, exitCode: code });
    const sum = Object.entries(states).map(([state, n]) => `${count(n)} ${state}`);
    talk.say(
      paint(
        talk.color,
        code === EXIT.complete ? "green" : "yellow",
        `${count(selected)} selected = ${sum.join(" + ")}`,
      ),
    );
    talk.say(
      `${plural(got.settled, "call")} asked for (${size(got.bytes)}), ${count(got.known)} known from before; ${duration(ms)}`,
    );
    if (got.limited) talk.say("--limit ended the selection; there may be more.");
    return code;
  } catch (error) {
    code = exitCodeOf(error);
    throw error;
  } finally {
    progress.stop();
    await archive.endRun(run, { endedAt: io.now().toISOString(), exitCode: code, detail });
    await archive.close();
  }
};
