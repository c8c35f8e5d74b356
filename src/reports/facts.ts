import type { DroppedSample, Language, Message, Sample } from "../core/sample.ts";

/** How a number is spread over samples, or over calls. */
export interface Measure {
  /** How many were measured. */
  count: number;
  sum: number;
  min: number;
  max: number;
  /** Half, nine in ten, 99 in 100 are at most this. Exact up to 65,535, which stands for all above too. */
  median: number;
  p90: number;
  p99: number;
  /** Fixed, so that reports can be laid side by side; `to` is included, and absent in the last. */
  bins: { from: number; to?: number; count: number }[];
}

export interface SplitFacts {
  name: string;
  calls: number;
  /** Of the calls, those whose samples differ from their words. */
  changed: number;
  samples: number;
  /** Absent when nobody counted. */
  tokens?: number;
}

/** A file of the data set, by its name in the folder, with `/` in it where it lies deeper. */
export interface DataFile {
  preset: string;
  split: string;
  name: string;
  rows: number;
  bytes: number;
}

/** What a data set is and how it came about: no words of anybody, no time, no machine, so equal for equal data sets. */
export interface DatasetFacts {
  /** Name and version of the program. */
  tool: string;
  seed: string;
  /** What was asked for, by option, in the order to be shown. */
  policies: Record<string, string | number | boolean>;
  calls: { read: number; kept: number; changed: number; dropped: number };
  samples: number;
  tokens?: number;
  splits: SplitFacts[];
  files: DataFile[];
  dropped: (Pick<DroppedSample, "step" | "reason"> & { calls: number })[];
  changed: { change: string; calls: number }[];
  /** Samples. */
  languages: Record<Language, number>;
  measures: {
    /** Messages of a sample but for the system turn. */
    turns: Measure;
    /** UTF-16 units of a sample's messages. */
    characters: Measure;
    tokens?: Measure;
    /** Length of a call, in whole seconds, where it is known. */
    seconds?: Measure;
  };
  /** Places taken out, by category; absent when nothing was looked for. */
  redacted?: Record<string, number>;
}

/** A sample for people to look at, shortened where it is long. */
export interface Example extends Omit<Sample, "messages"> {
  split: string;
  changes: readonly string[];
  /** Its first messages. */
  head: readonly Message[];
  /** How many are left out between. */
  omitted: number;
  /** Its last messages. */
  tail: readonly Message[];
}
