import { Option } from "commander";
import { TROUBLE } from "../../core/state.ts";
import type { CommandSpec } from "../command-spec.ts";
import { exitCodeFor } from "../exit-codes.ts";
import { type AckFlags, archiveOption, dryRunOption, runOptions, selectionOptions } from "../options.ts";

export const ack: CommandSpec<AckFlags> = {
  description:
    "For missing, invalid and failed calls that somebody has looked at. Acknowledged calls no longer count for the exit code, no longer hold back a cursor, and are fetched again only with --refresh. The archive keeps what it has of them.",
  options: {
    Selection: [
      ...selectionOptions().filter(({ long }) => long === "--ids"),
      new Option("--all", "every missing, invalid or failed call in the archive"),
      new Option("--state <state>", "every call in this state").choices(TROUBLE),
    ],
    Control: [
      new Option("--undo", "undo the acknowledgement: the calls count and are fetched again as before"),
      dryRunOption(),
    ],
    Archive: [archiveOption(), ...runOptions()],
  },
  examples: [
    ["ack ID", "one call, by its id from `status --failed` or from an error file"],
    ["ack -i trouble.ndjson", "all calls in an error file"],
    ["ack --state missing -n", "print the missing calls, acknowledge nothing"],
  ],
  run: async (input) => {
    const { args, flags, given, io, logger } = input;
    const { runAck } = await import("../../app/ack.ts");
    const { troubleLine } = await import("../../app/error-file.ts");
    const { plural } = await import("../../core/wording.ts");
    const { withContext } = await import("../context.ts");
    const { ids: idsFile, all, state, undo, ...rest } = flags;
    const request = {
      ...rest,
      ids: args,
      ...(idsFile !== undefined && { idsFile }),
      // Only from the command line: a setting for all runs would acknowledge calls that nobody has looked at.
      ...(all && given.has("all") && { all }),
      ...(state && given.has("state") && { state }),
      ...(undo && given.has("undo") && { undo }),
    };
    const { outcome, changed, unchanged, refused } = await withContext(input, flags.maxDuration, (context) =>
      runAck(request, context, (record) => void io.stdout.write(troubleLine(record))),
    );
    const exitCode = exitCodeFor(outcome);
    const dryRun = flags.dryRun === true;
    logger.record("summary", { [request.undo ? "takenBack" : "acknowledged"]: changed, refused, dryRun, exitCode });
    const verb = request.undo ? "no longer acknowledged" : "acknowledged";
    const names = args.length > 0 || idsFile !== undefined;
    const already = request.undo ? "not acknowledged" : "acknowledged";
    const before = names && unchanged > 0 ? `; ${plural(unchanged, "call")} ${already} before` : "";
    logger.message(`${plural(changed, "call")} ${dryRun ? `would be ${verb}` : verb}${before}.`);
    return exitCode;
  },
};
