import type { DroppedSample, Language, Message, Sample, Task } from "../core/sample.ts";

/** The distribution of a number over samples or calls. */
export interface Measure {
  /** How many were measured. */
  count: number;
  sum: number;
  min: number;
  max: number;
  /** Quantiles: 50%, 90% and 99% are at most this. Exact up to 65,535; larger values count as 65,535. */
  median: number;
  p90: number;
  p99: number;
  /** Fixed bins, so that reports can be compared; `to` is included, and absent in the last bin. */
  bins: { from: number; to?: number; count: number }[];
}

export interface SplitFacts {
  name: string;
  calls: number;
  /** How many of the calls were changed. */
  changed: number;
  samples: number;
  /** Absent if tokens were not counted. */
  tokens?: number;
}

/** The samples that a preset cannot express. */
export interface UnwrittenFacts {
  preset: string;
  samples: number;
  reasons: { reason: string; samples: number }[];
}

/** A file of `--exclude`. */
export interface ExclusionFacts {
  /** Its name, without folders. */
  file: string;
  rows: number;
  /** How many of them are in the data. */
  found: number;
  /** How many samples were left out for them. */
  samples: number;
}

/** A file of the data set; its name is relative to the folder, with `/` for subfolders. */
export interface DataFile {
  preset: string;
  split: string;
  name: string;
  rows: number;
  bytes: number;
}

/** What a data set contains and how it was made. No text of calls, no time and no machine: equal for equal data sets. */
export interface DatasetFacts {
  /** Name and version of the program. */
  tool: string;
  task: Task;
  seed: string;
  /** The options of the command, in the order to show. */
  policies: Record<string, string | number | boolean>;
  calls: { read: number; kept: number; changed: number; dropped: number };
  samples: number;
  tokens?: number;
  splits: SplitFacts[];
  files: DataFile[];
  dropped: (Pick<DroppedSample, "step" | "reason"> & { calls: number })[];
  /** Samples that were dropped one by one: copies, excluded ones, and of the query log all entries without a sample. */
  lost: (Pick<DroppedSample, "step" | "reason"> & { samples: number })[];
  /** By preset; empty if every preset has all its samples. */
  unwritten: UnwrittenFacts[];
  changed: { change: string; calls: number }[];
  /** Answers that callers cut off, in kept calls; and how often a row teaches one of them as it broke off. */
  truncated: { answers: number; learned: number };
  /** Number of samples by language. */
  languages: Record<Language, number>;
  measures: {
    /** Messages of a sample without the system turn. */
    turns: Measure;
    /** UTF-16 units of a sample's messages. */
    characters: Measure;
    tokens?: Measure;
    /** Length of a call in whole seconds, if it is known. */
    seconds?: Measure;
  };
  /** Absent without `--exclude`. */
  excluded?: ExclusionFacts[];
  /** Number of redacted places by category; absent if nothing was searched for. */
  redacted?: Record<string, number>;
}

/** A sample for the report, shortened if it is long. */
export interface Example extends Omit<Sample, "messages"> {
  split: string;
  changes: readonly string[];
  /** Its first messages. */
  head: readonly Message[];
  /** How many messages between are not shown. */
  omitted: number;
  /** Its last messages. */
  tail: readonly Message[];
}
