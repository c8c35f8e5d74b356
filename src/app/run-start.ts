import { redactSecrets } from "../core/secrets.ts";
import type { Json, JsonObject } from "../core/transcript.ts";

/** How many ids of a selection are listed. */
const MOST_IDS = 5;

/** The fields of a run's start line: selection, archive and output, without secrets. */
export const startFacts = (facts: JsonObject, archive: string | false, output: string | undefined): JsonObject => {
  const { ids, asked: _, ...rest } = facts;
  const many = Array.isArray(ids) && ids.length > MOST_IDS;
  const fields: JsonObject = {
    ...(ids !== undefined && { ids: many ? ids.slice(0, MOST_IDS) : ids }),
    ...(many && { idCount: ids.length }),
    ...rest,
    archive,
    ...(output !== undefined && { output }),
  };
  return withoutSecrets(fields) as JsonObject;
};

const withoutSecrets = (value: Json): Json => {
  if (typeof value === "string") return redactSecrets(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
};
