import { Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { exitCodeFor } from "../exit-codes.ts";
import {
  archiveOption,
  cloudOptions,
  type PullCommandFlags,
  runOptions,
  selectionOptions,
  settleOption,
} from "../options.ts";
import { otherFlags, storedSelectionRequest } from "../requests.ts";

type Flags = PullCommandFlags & { offline?: boolean; json?: boolean };

const RANGE = ["--agent", "--since", "--until", "--tz"];
/** Of the service: calls are named by id here, so nothing is listed. */
const NOT_HERE = ["--describe"];

export const reconcile: CommandSpec<Flags> = {
  description: `Compares what callbacks and call logs say of the same calls. Ended calls that are known by their callbacks only get
their call log. Then each gap is printed: calls without a call log, calls without callbacks although their agent sent some
before and after, and turns that only one side has.

Exit 3 if there is a gap.`,
  options: {
    Selection: selectionOptions().filter(({ long }) => RANGE.includes(long ?? "")),
    Archive: [
      archiveOption(),
      settleOption(),
      new Option("--offline", "fetch nothing, and only compare"),
      ...runOptions(),
    ],
    Service: cloudOptions().filter(({ long }) => !NOT_HERE.includes(long ?? "")),
    Output: [new Option("--json", "one JSON object per gap")],
  },
  examples: [
    ["reconcile --since 24h", "the calls of the last 24 hours"],
    ["reconcile --offline --json", "only compare what the archive has"],
  ],
  run: async (input) => {
    const { flags, io, logger } = input;
    const { runReconcile } = await import("../../app/reconcile.ts");
    const { PULL_DEFAULTS } = await import("../../app/defaults.ts");
    const { oneLine } = await import("../../core/printable.ts");
    const { count, duration, plural } = await import("../../core/wording.ts");
    const { withContext } = await import("../context.ts");
    const { json, offline, ...rest } = otherFlags(flags);
    const request = {
      ...PULL_DEFAULTS,
      ...rest,
      ...storedSelectionRequest({ ...input, args: [] }),
      ...(offline && { offline }),
    };
    return withContext(input, flags.maxDuration, async (context) => {
      const run = await runReconcile(request, context, (gap) => {
        const { id, gap: kind, turns, state } = gap;
        const what = SENTENCES[kind](turns ?? 0, state);
        io.stdout.write(`${json ? JSON.stringify(gap) : oneLine(`${id}: ${what}`)}\n`);
      });
      const { calls, requested, fetched, gaps, ms } = run;
      const exitCode = exitCodeFor(run.outcome);
      logger.record("summary", { calls, requested, fetched, gaps, ms, exitCode });
      logger.message(
        `${plural(calls, "call")} compared, ${plural(gaps, "gap")}; ${count(fetched)} of ${plural(requested, "call log")} fetched; ${duration(ms)}`,
        exitCode === 0 ? "green" : "yellow",
      );
      return exitCode;
    });
  },
};

const SENTENCES: Readonly<
  Record<
    "no-call-log" | "no-callbacks" | "turns-only-in-log" | "turns-only-in-callbacks",
    (turns: number, state?: string) => string
  >
> = {
  "no-call-log": (_, state) => `there are callbacks, but no call log${state === undefined ? "" : ` (${state})`}`,
  "no-callbacks": () => "there is a call log, but no callbacks",
  "turns-only-in-log": (turns) => `${turns} of its turns are only in the call log`,
  "turns-only-in-callbacks": (turns) => `${turns} of its turns are only in the callbacks`,
};
