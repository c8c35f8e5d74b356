import type { SplitUnit, Task } from "../../core/sample.ts";
import type { ArchiveRequest, RedactRequest, SelectionRequest } from "../requests.ts";

/**
A fine-tuning set, made of what the archive has; contacts nothing. Durations are seconds, sizes bytes.

The task `text-to-sql` ignores the policies of dialogs: `greeting`, `interrupted`, `mergeGap`, `silenceToken`, `stripFillers`,
`kinds`, `expand`, and the limits of turns, durations and characters.
*/
export interface DatasetRequest extends SelectionRequest, ArchiveRequest, RedactRequest {
  /** `chat`: dialogs. `text-to-sql`: questions of the query log, each with the SQL that answers it. */
  task: Task;
  /** `text-to-sql`: adds the columns of each result to the system turn. */
  sqlSchema?: boolean;
  presets?: readonly string[];
  output: string;
  status?: string;
  greeting: "system" | "drop" | "pad" | "mask";
  system: string;
  systemFile?: string;
  interrupted: "auto" | "mask" | "clause" | "cut" | "keep";
  /** Seconds. */
  mergeGap: number;
  silenceToken?: string;
  specialTokens: "escape" | "strip" | "drop" | "keep";
  stripFillers?: boolean;
  kinds?: readonly string[];
  minTurns?: number;
  maxTurns?: number;
  minDuration?: number;
  maxCallDuration?: number;
  minCharacters?: number;
  maxCharacters?: number;
  /** Leaves out conversations that break a rule of quality: all rules, at their thresholds. */
  quality?: boolean;
  /** Single rules: `NAME`, `NAME=THRESHOLD` or `NAME=off`. */
  qualityRules?: readonly string[];
  /** A program that scores samples, with its arguments. */
  scoreCommand?: string;
  /** How long it may be silent, in seconds. @default 600 */
  scoreTimeout?: number;
  /** Files with scores by the ids of samples or conversations. */
  scores?: readonly string[];
  /** Leaves out samples with a lower score, or none. */
  minScore?: number;
  languages?: readonly string[];
  expand: "call" | "turn";
  contentParts?: boolean;
  think?: "empty" | "reasoning";
  maxTokens?: number;
  tokenizer?: string;
  overBudget: "drop" | "cut";
  dedupe: "exact" | "near" | "none";
  /** The least similarity of near copies, 0.5 to 1. @default 0.7 */
  dedupeThreshold?: number;
  /** Files with evaluation data: samples that are in them are left out. */
  exclude?: readonly string[];
  split: string;
  /** What is never in two splits. */
  splitBy: SplitUnit;
  seed: string;
  shuffle?: boolean;
  sample?: number;
  /** At most so many samples of each agent. */
  perAgent?: number;
  /** As many samples of each agent, language, or range of lengths. */
  balance?: "agent" | "language" | "length";
  maxFileSize?: number;
  gzip?: boolean;
  parquet?: boolean;
}
