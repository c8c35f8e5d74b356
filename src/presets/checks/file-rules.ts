import { columnsOf, typeOf } from "./columns.ts";
import { atEnd, eachRow, quote, type Rule, type Severity } from "./rule.ts";

/** Allows only these keys in a row. `severity` is `error` if the reader refuses other keys, `warning` if it ignores them. */
export const onlyKeys = (keys: readonly string[], severity: Severity, effect: string): Rule =>
  eachRow("extra-key", severity, effect, (row) => {
    const wrong = Object.keys(row).find((key) => !keys.includes(key));
    return wrong === undefined ? undefined : `the key ${quote(wrong)}`;
  });

export const fewSamples = (least: number, severity: Severity, effect: string): Rule =>
  atEnd("too-few-samples", severity, effect, ({ rows }) =>
    rows > 0 && rows < least ? `${rows} of at least ${least}` : undefined,
  );

export const largestFile = (bytes: number, effect: string): Rule =>
  atEnd("file-too-large", "error", effect, (file) =>
    file.bytes > bytes ? `${file.bytes} bytes of at most ${bytes}` : undefined,
  );

const ISO_TIME = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/**
Rules of Hugging Face `datasets`, which many trainers use to load files.

@param texts the text columns that the reader uses
*/
export const datasetsRules = (texts: readonly string[] = []): Rule[] => [
  {
    id: "column-type",
    severity: "error",
    effect: "Hugging Face datasets takes a column's type from the first rows, and raises at another type.",
    watch: () => {
      const types = new Map<string, string>();
      return {
        row: (row) => {
          for (const [path, value] of columnsOf(row)) {
            const type = typeOf(value);
            if (type === "null") continue;
            const usual = types.get(path);
            // Limited, so that memory stays small.
            if (usual === undefined && types.size < 1_000) types.set(path, type);
            if (usual !== undefined && usual !== type) return `${quote(path)} is ${type}, and ${usual} before`;
          }
          return undefined;
        },
      };
    },
  },
  eachRow(
    "iso-time",
    "warning",
    "Hugging Face datasets reads such text as a timestamp, and raises if another file has other text. Write seconds.",
    (row) => {
      const found = Object.entries(row).find(
        ([key, value]) => typeof value === "string" && ISO_TIME.test(value) && !texts.includes(key),
      );
      return found && `${quote(found[0])} is a time in text`;
    },
  ),
];
