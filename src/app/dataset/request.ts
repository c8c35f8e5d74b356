import type { ArchiveRequest, RedactRequest, SelectionRequest } from "../requests.ts";

/** A fine-tuning set, made of what the archive has; contacts nothing. Durations are seconds, sizes bytes. */
export interface DatasetRequest extends SelectionRequest, ArchiveRequest, RedactRequest {
  presets?: readonly string[];
  output: string;
  status?: string;
  greeting: "system" | "drop" | "pad" | "mask";
  system: string;
  systemFile?: string;
  interrupted: "cut" | "mask" | "keep";
  stripFillers?: boolean;
  kinds?: readonly string[];
  minTurns?: number;
  maxTurns?: number;
  minDuration?: number;
  maxCallDuration?: number;
  minCharacters?: number;
  languages?: readonly string[];
  expand: "call" | "turn";
  contentParts?: boolean;
  think?: "empty" | "reasoning";
  maxTokens?: number;
  tokenizer?: string;
  overBudget: "drop" | "cut";
  dedupe: "exact" | "near" | "none";
  split: string;
  seed: string;
  shuffle?: boolean;
  sample?: number;
  maxFileSize?: number;
  gzip?: boolean;
  parquet?: boolean;
}
