import type { DatasetRequest } from "../../app/dataset/request.ts";
import type { CommandSpec } from "../command-spec.ts";
import { type DatasetFlags, datasetOptions, OWN_FLAGS } from "../dataset-options.ts";
import { exitCodeFor } from "../exit-codes.ts";
import { archiveOption, dryRunOption, selectionOptions, settleOption, sourceOption } from "../options.ts";
import { otherFlags, storedSelectionRequest } from "../requests.ts";

export const dataset: CommandSpec<DatasetFlags & { dryRun?: boolean }> = {
  description: `Reads all conversations in the archive, or those that you select, and does not contact the cloud. Writes to the folder: the files
of each preset by split, a data set card, a report, a list of where each sample comes from, and a list of every dropped
call with the reason.

\`dataset forget\` takes ids and, last, the folder of a finished data set. It removes these conversations from all its files, and
prints the rows that went.`,
  options: {
    Selection: [...selectionOptions().filter(({ long }) => long !== "--shard"), sourceOption()],
    ...datasetOptions(),
    Forgetting: [dryRunOption()],
    Archive: [archiveOption(), settleOption()],
  },
  examples: [
    ["dataset -o set", "chat samples in the shape that every trainer reads, split 90/5/5"],
    [
      "dataset --preset llama-factory --preset trl --redact all -o set",
      "files for two trainers, personal data replaced",
    ],
    ["dataset --task text-to-sql --sql-schema -o sql", "questions of the query log with the SQL that answers them"],
    [
      "dataset --preset bailian --dedupe near --min-turns 4 --language zh -o set",
      "a stricter choice: no near copies, at least 4 turns, Chinese",
    ],
    [
      "dataset --quality --per-agent 500 --balance language -o set",
      "without hang-ups, loops and gibberish, at most 500 of each agent, as many in each language",
    ],
    ["dataset forget ID set", "remove a call from the data set in the folder set"],
  ],
  run: async (input) => {
    if (input.args[0] === "forget") return (await import("./dataset/forget.ts")).forgetInSet(input);
    const { flags, given, logger } = input;
    const { UsageError } = await import("../../core/errors.ts");
    if (given.has("dryRun")) throw new UsageError('--dry-run is a flag of "dataset forget".');
    const { checkOwnFlags } = await import("../own-flags.ts");
    checkOwnFlags(given, flags.task, OWN_FLAGS, (task) => `dataset --task ${task}`);
    const { runDataset } = await import("../../app/dataset/run.ts");
    const { withContext } = await import("../context.ts");
    const { printDatasetSummary } = await import("../terminal/dataset-summary.ts");
    const { preset, kind, language, qualityRule, dryRun: _, ...rest } = otherFlags(flags);
    const request: DatasetRequest = {
      ...rest,
      ...storedSelectionRequest(input),
      ...(preset && { presets: preset }),
      ...(kind && { kinds: kind }),
      ...(language && { languages: language }),
      ...(qualityRule && { qualityRules: qualityRule }),
    };
    const run = await withContext(input, undefined, (context) => runDataset(request, context));
    printDatasetSummary(logger, run, input);
    return exitCodeFor(run.outcome);
  },
};
