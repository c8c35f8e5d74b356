import { redactSecrets } from "../core/secrets.ts";
import type { Json, JsonObject } from "../core/transcript.ts";

/** So many ids of a selection are named. */
const NAMED = 5;

/** What the start line of a run says: the selection, where it comes from and where it goes, without secrets. */
export const startFacts = (facts: JsonObject, archive: string | false, output: string | undefined): JsonObject => {
  const { ids, asked: _, ...rest } = facts;
  const many = Array.isArray(ids) && ids.length > NAMED;
  const shown: JsonObject = {
    ...(ids !== undefined && { ids: many ? ids.slice(0, NAMED) : ids }),
    ...(many && { idCount: ids.length }),
    ...rest,
    archive,
    ...(output !== undefined && { output }),
  };
  return withoutSecrets(shown) as JsonObject;
};

const withoutSecrets = (value: Json): Json => {
  if (typeof value === "string") return redactSecrets(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
};
