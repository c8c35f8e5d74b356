import { basename, extname } from "node:path";
import { UsageError } from "../../core/errors.ts";
import { type WriterName, writers } from "../../writers/index.ts";
import type { OutputRequest } from "../requests.ts";
import type { Target } from "./output-names.ts";

/** Endings that promise what no writer makes. */
const NOT_BUILT = new Set(
  ".gz .tgz .bz2 .xz .zst .br .zip .tar .7z .xlsx .xls .ods .parquet .arrow .feather .avro .orc .tsv .xml .html .pdf .docx".split(
    " ",
  ),
);

/** The format whose ending this is. */
export const impliedBy = (output: string): WriterName | undefined => {
  const ending = extname(output).toLowerCase();
  return (Object.keys(writers) as WriterName[]).find((name) =>
    (writers[name].extensions as readonly string[]).includes(ending),
  );
};

/**
The ending of a file says what is in it. Any other than the writers' own is the user's business, with one `-f`.

@throws UsageError that says what is known
*/
export const checkEnding = ({ output, formats }: OutputRequest, target: Target): void => {
  if (target.kind === "folder") return;
  const ending = extname(output).toLowerCase();
  if (NOT_BUILT.has(ending) && impliedBy(output) === undefined)
    throw new UsageError(`-o ${output}: there is no output as ${ending}. ${known(output)}`);
  // What is written to a pipe has no name.
  if (target.kind === "stream") return;
  const implied = impliedBy(output);
  const [wanted] = target.formats;
  if (implied !== undefined && implied !== wanted)
    throw new UsageError(
      `-o ${output} is a name for ${implied}, and -f says ${wanted}: write ${wanted} to a file that ends in ${endingsOf(wanted)}, or leave out -f.`,
    );
  if (implied === undefined && ending === "" && !target.isThere)
    throw new UsageError(`-o ${output} has no ending: is it a file or a folder? ${known(output)}`);
  if (implied === undefined && formats === undefined)
    throw new UsageError(
      `-o ${output}: ${ending === "" ? "a file without an ending" : ending} says no format. ${known(output)} Or say the format with -f.`,
    );
};

const endingsOf = (name: WriterName): string => writers[name].extensions.join(", ");

const known = (output: string): string => {
  const endings = (Object.keys(writers) as WriterName[]).map((name) => `${endingsOf(name)} (${name})`);
  return `A file ends in ${endings.join(", ")}; a folder is written ${basename(output)}/ or is there already.`;
};
