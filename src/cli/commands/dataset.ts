import type { DatasetRequest } from "../../app/dataset/request.ts";
import type { CommandSpec } from "../command-spec.ts";
import { type DatasetFlags, datasetOptions } from "../dataset-options.ts";
import { exitCodeFor } from "../exit-codes.ts";
import { archiveOption, selectionOptions } from "../options.ts";
import { otherFlags, storedSelectionRequest } from "../requests.ts";

export const dataset: CommandSpec<DatasetFlags> = {
  description: `Takes everything the archive has, or what the selection names, and contacts no cloud. Into the folder go the files of
each preset by split, and what is known of them: a card, a report to look at, where each sample comes from, and every call
that was dropped, with the reason.`,
  options: {
    Selection: selectionOptions().filter(({ long }) => long !== "--shard"),
    ...datasetOptions(),
    Archive: [archiveOption()],
  },
  examples: [
    ["dataset -o set", "chat samples in the shape that every trainer reads, split 90/5/5"],
    ["dataset --preset llama-factory --preset trl --redact all -o set", "two trainers at once, without personal data"],
    ["dataset --preset bailian --dedupe near --min-turns 4 --language zh -o set", "fewer and better"],
  ],
  run: async (input) => {
    const { flags, logger } = input;
    const { runDataset } = await import("../../app/dataset/run.ts");
    const { withContext } = await import("../context.ts");
    const { printDatasetSummary } = await import("../terminal/dataset-summary.ts");
    const { preset, kind, language, ...rest } = otherFlags(flags);
    const request: DatasetRequest = {
      ...rest,
      ...storedSelectionRequest(input),
      ...(preset && { presets: preset }),
      ...(kind && { kinds: kind }),
      ...(language && { languages: language }),
    };
    const run = await withContext(input, undefined, (context) => runDataset(request, context));
    printDatasetSummary(logger, run, input);
    return exitCodeFor(run.outcome);
  },
};
