import { basename } from "node:path";
import { type QualityPolicy, shownQuality } from "../../transforms/quality/quality.ts";
import type { DatasetRequest } from "./request.ts";

/** What selects by quality and number, by option, for the card and the report. A command can hold secrets: it stays out. */
export const selectionPolicies = (
  { maxCharacters, scores, scoreCommand, minScore, perAgent, balance }: DatasetRequest,
  quality: QualityPolicy | undefined,
): Record<string, string | number | boolean> => ({
  ...(maxCharacters !== undefined && { "max-characters": maxCharacters }),
  ...(quality && { quality: shownQuality(quality) }),
  ...(scores && { scores: scores.map((path) => basename(path)).join(", ") }),
  ...(scoreCommand !== undefined && { "score-command": true }),
  ...(minScore !== undefined && { "min-score": minScore }),
  ...(perAgent !== undefined && { "per-agent": perAgent }),
  ...(balance !== undefined && { balance }),
});
