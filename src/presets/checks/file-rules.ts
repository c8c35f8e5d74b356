import { columnsOf, typeOf } from "./columns.ts";
import { atEnd, eachRow, named, type Rule, type Severity } from "./rule.ts";

/** Keys at the top of a row. `severity` is `error` where the reader refuses others, `warning` where it ignores them. */
export const onlyKeys = (keys: readonly string[], severity: Severity, effect: string): Rule =>
  eachRow("extra-key", severity, effect, (row) => {
    const odd = Object.keys(row).find((key) => !keys.includes(key));
    return odd === undefined ? undefined : `the key ${named(odd)}`;
  });

export const fewSamples = (wanted: number, severity: Severity, effect: string): Rule =>
  atEnd("too-few-samples", severity, effect, ({ rows }) =>
    rows > 0 && rows < wanted ? `${rows} of at least ${wanted}` : undefined,
  );

export const largestFile = (bytes: number, effect: string): Rule =>
  atEnd("file-too-large", "error", effect, (file) =>
    file.bytes > bytes ? `${file.bytes} bytes of at most ${bytes}` : undefined,
  );

const ISO_TIME = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/**
What Hugging Face `datasets`, which many trainers load their files with, cannot stand. `texts` are the columns of text
that the reader has a use for.
*/
export const datasetsRules = (texts: readonly string[] = []): Rule[] => [
  {
    id: "column-type",
    severity: "error",
    effect: "Hugging Face datasets takes a column's type from the first rows, and raises where another one comes.",
    watch: () => {
      const types = new Map<string, string>();
      return {
        row: (row) => {
          for (const [path, value] of columnsOf(row)) {
            const type = typeOf(value);
            if (type === "null") continue;
            const usual = types.get(path);
            // So many columns are no data set: what is remembered stays small.
            if (usual === undefined && types.size < 1_000) types.set(path, type);
            if (usual !== undefined && usual !== type) return `${named(path)} is ${type}, and ${usual} before`;
          }
          return undefined;
        },
      };
    },
  },
  eachRow(
    "iso-time",
    "warning",
    "Hugging Face datasets reads such text as a timestamp, and raises when another file has one that is none. Write seconds.",
    (row) => {
      const found = Object.entries(row).find(
        ([key, value]) => typeof value === "string" && ISO_TIME.test(value) && !texts.includes(key),
      );
      return found && `${named(found[0])} is a time in text`;
    },
  ),
];
