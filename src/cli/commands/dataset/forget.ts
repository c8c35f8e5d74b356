import type { Input } from "../../command-spec.ts";
import type { DatasetFlags } from "../../dataset-options.ts";
import { type ExitCode, exitCodeFor } from "../../exit-codes.ts";
import { configOptions, displayOptions } from "../../options.ts";
import { defined, givenSources } from "../../requests.ts";

const OWN: ReadonlySet<string> = new Set([
  ...["ids", "source", "dryRun"],
  ...[...configOptions(), ...displayOptions()].map((option) => option.attributeName()),
]);

/** `dataset forget ID… FOLDER`. */
export const forgetInSet = async (input: Input<DatasetFlags & { dryRun?: boolean }>): Promise<ExitCode> => {
  const { args, flags, given, io, logger } = input;
  const { UsageError } = await import("../../../core/errors.ts");
  const { runSetForget } = await import("../../../app/dataset/forget/run.ts");
  const { oneLine } = await import("../../../core/printable.ts");
  const { plural } = await import("../../../core/wording.ts");
  const { withContext } = await import("../../context.ts");
  const wrong = [...given].find((flag) => !OWN.has(flag));
  if (wrong !== undefined) {
    const flag = wrong.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(`--${flag} is not a flag of "dataset forget".`);
  }
  const ids = args.slice(1, -1);
  const folder = args.length > 1 ? args.at(-1) : undefined;
  if (folder === undefined || (ids.length === 0 && !given.has("ids")))
    throw new UsageError("Name at least one id, and the folder last: dataset forget ID FOLDER.");
  const request = defined({
    ids,
    folder,
    dryRun: flags.dryRun,
    ...givenSources(input),
    ...(given.has("ids") && { idsFile: flags.ids }),
  });
  const result = await withContext(input, undefined, (context) =>
    runSetForget(request, context, ({ conversation, file, row }) => {
      io.stdout.write(`${[conversation, `${file}:${row}`].map(oneLine).join("\t")}\n`);
    }),
  );
  const { outcome, forgotten, rows, unknown } = result;
  const exitCode = exitCodeFor(outcome);
  const dryRun = flags.dryRun === true;
  logger.record("summary", { forgotten, rows, unknown: unknown.length, dryRun, exitCode });
  const verb = dryRun ? "would be removed from" : "removed from";
  logger.message(`${plural(forgotten, "conversation")} with ${plural(rows, "row")} ${verb} ${folder}.`);
  return exitCode;
};
