import { createHash } from "node:crypto";
import type { DroppedSample, Language, Message, Sample } from "../core/sample.ts";
import type { DataFile, DatasetFacts, Example, ExclusionFacts, Measure, SplitFacts, UnwrittenFacts } from "./facts.ts";
import { BINS, createHistogram } from "./histogram.ts";

/** How many samples the report shows. */
export const EXAMPLES = 10;
/** How many first and last messages of a sample are shown. */
const HEAD = 12;
const TAIL = 4;
/** How many reasons and changes are counted separately: some quote their call, and must not fill the memory. */
const MOST_KEYS = 200;
const REST = "(others)";

/** Facts that the calls do not provide. */
export interface OtherFacts extends Pick<DatasetFacts, "tool" | "task" | "policies"> {
  /** Whether something was looked for to be redacted. */
  redacts?: boolean;
  /** The files of `--exclude`. */
  excluded?: readonly Pick<ExclusionFacts, "file" | "rows">[];
  /** The written files in the order to show. */
  files: readonly DataFile[];
  /** The names of the splits in the order to show; other splits follow. */
  splits?: readonly string[];
}

/** What is counted of a sample. */
export interface SampleSize extends Pick<Sample, "language" | "tokens"> {
  /** Messages without the system turn. */
  turns: number;
  /** UTF-16 units. */
  characters: number;
}

export const sizeOf = ({ language, tokens, messages }: Sample): SampleSize => ({
  language,
  turns: messages.filter(({ role }) => role !== "system").length,
  characters: messages.reduce((sum, { content }) => sum + content.length, 0),
  ...(tokens !== undefined && { tokens }),
});

/** What is counted of a call that has samples. */
export interface CallSize {
  split: string;
  changes: readonly string[];
  /** How long it lasted; absent when unknown. */
  seconds?: number;
  /** How many answers the caller cut off. @default 0 */
  interrupted?: number;
  /** What was redacted in it, by kind. */
  redacted?: Partial<Record<string, number>>;
}

/**
Collects the facts of a data set from its calls and samples, one by one.

Memory stays below 3 MB: histograms with fixed bins, tallies with at most 200 keys, and ten shortened samples, those with
the smallest sha256(example:seed:sampleId).
*/
export const createStats = ({ seed }: { seed: string }) => {
  const histograms = {
    turns: createHistogram(BINS.turns),
    characters: createHistogram(BINS.characters),
    tokens: createHistogram(BINS.tokens),
    seconds: createHistogram(BINS.seconds),
  };
  const languages: Record<Language, number> = { zh: 0, en: 0, mixed: 0, other: 0 };
  const splits = new Map<string, SplitFacts>();
  const dropped = new Map<string, { step: string; reason: string; calls: number }>();
  const lost = new Map<string, { step: string; reason: string; samples: number }>();
  const unwritten = new Map<string, Map<string, { reason: string; samples: number }>>();
  const changed = new Map<string, { change: string; calls: number }>();
  const calls = { read: 0, kept: 0, changed: 0, dropped: 0 };
  const matched = new Map<string, { rows: Set<string>; samples: number }>();
  const places: Record<string, number> = {};
  const truncated = { answers: 0, learned: 0 };
  let chosen: { key: string; example: Example }[] = [];

  const splitOf = (name: string): SplitFacts => {
    const facts = splits.get(name) ?? { name, calls: 0, changed: 0, samples: 0 };
    splits.set(name, facts);
    return facts;
  };
  /** Counts a row of an excluded file, and the sample that it excludes. */
  const match = (row: string): void => {
    const file = row.slice(0, row.lastIndexOf(":"));
    const found = matched.get(file) ?? { rows: new Set(), samples: 0 };
    matched.set(file, found);
    found.rows.add(row);
    found.samples += 1;
  };

  const isOffered = (key: string): boolean => {
    const last = chosen.at(-1);
    return chosen.length < EXAMPLES || last === undefined || key < last.key;
  };
  const offer = ({ messages, ...sample }: Sample, split: string, changes: readonly string[]): void => {
    const key = exampleKey(seed, sample.id);
    if (!isOffered(key)) return;
    const entry = { key, example: { ...sample, split, changes, ...shortened(messages) } };
    chosen = [...chosen, entry].sort((one, other) => (one.key < other.key ? -1 : 1)).slice(0, EXAMPLES);
  };

  return {
    /** Adds a kept call. */
    keep: ({ split, changes, seconds, interrupted = 0, redacted = {} }: CallSize): void => {
      truncated.answers += interrupted;
      calls.read += 1;
      calls.kept += 1;
      if (changes.length > 0) calls.changed += 1;
      for (const change of new Set(changes)) entryOf(changed, change, (key) => ({ change: key, calls: 0 })).calls += 1;
      const facts = splitOf(split);
      facts.calls += 1;
      if (changes.length > 0) facts.changed += 1;
      if (seconds !== undefined) histograms.seconds.add(seconds);
      for (const [name, n = 0] of Object.entries(redacted)) places[name] = (places[name] ?? 0) + n;
    },

    /** Adds a sample of a kept call. */
    count: ({ language, turns, characters, tokens }: SampleSize, split: string): void => {
      const facts = splitOf(split);
      facts.samples += 1;
      languages[language] += 1;
      histograms.turns.add(turns);
      histograms.characters.add(characters);
      if (tokens === undefined) return;
      facts.tokens = (facts.tokens ?? 0) + tokens;
      histograms.tokens.add(tokens);
    },

    /** Offers a sample as an example. */
    offer,

    /** Adds a call without samples. */
    drop: ({ step, reason, of }: DroppedSample): void => {
      if (step === "exclude" && of !== undefined) match(of);
      calls.read += 1;
      calls.dropped += 1;
      const rest = (key: string) =>
        key === REST ? { step: REST, reason: REST, calls: 0 } : { step, reason, calls: 0 };
      entryOf(dropped, `${step}\n${reason}`, rest).calls += 1;
    },

    /** Adds a sample that was dropped, while its call may have kept others. */
    lose: ({ step, reason, of }: DroppedSample): void => {
      if (step === "exclude" && of !== undefined) match(of);
      const create = (key: string) =>
        key === REST ? { step: REST, reason: REST, samples: 0 } : { step, reason, samples: 0 };
      entryOf(lost, `${step}\n${reason}`, create).samples += 1;
    },

    /** Counts the half answers that a written row teaches. */
    learn: (halfAnswers: number): void => {
      truncated.learned += halfAnswers;
    },

    /** Adds a sample that a preset cannot express. */
    refuse: (preset: string, reason: string): void => {
      const reasons = unwritten.get(preset) ?? new Map();
      unwritten.set(preset, reasons);
      entryOf(reasons, reason, (key) => ({ reason: key, samples: 0 })).samples += 1;
    },

    facts: ({ tool, task, policies, redacts, excluded, files, splits: order = [] }: OtherFacts): DatasetFacts => {
      const names = [
        ...order.filter((name) => splits.has(name)),
        ...[...splits.keys()].filter((n) => !order.includes(n)),
      ];
      const tokens = histograms.tokens.measure();
      const seconds = histograms.seconds.measure();
      return {
        tool,
        task,
        seed,
        policies,
        calls: { ...calls },
        samples: [...splits.values()].reduce((sum, { samples }) => sum + samples, 0),
        ...(tokens && { tokens: tokens.sum }),
        splits: names.flatMap((name) => splits.get(name) ?? []),
        files: [...files],
        dropped: mostFirst(dropped, ({ calls }) => calls),
        lost: mostFirst(lost, ({ samples }) => samples),
        unwritten: [...unwritten].map(([preset, reasons]) => unwrittenBy(preset, reasons)),
        changed: mostFirst(changed, ({ calls }) => calls),
        truncated: { ...truncated },
        languages: { ...languages },
        measures: {
          turns: histograms.turns.measure() ?? NOTHING,
          characters: histograms.characters.measure() ?? NOTHING,
          ...(tokens && { tokens }),
          ...(seconds && { seconds }),
        },
        ...(excluded && { excluded: excluded.map((file) => ({ ...file, ...foundIn(matched.get(file.file)) })) }),
        ...(redacts && {
          redacted: Object.fromEntries(Object.entries(places).sort(([one], [other]) => (one < other ? -1 : 1))),
        }),
      };
    },

    /** Ten samples; their choice and order depend only on the seed and their ids. */
    examples: (): Example[] => chosen.map(({ example }) => example),
  };
};

const foundIn = (found: { rows: ReadonlySet<string>; samples: number } | undefined) => ({
  found: found?.rows.size ?? 0,
  samples: found?.samples ?? 0,
});

/** The examples are the samples with the smallest keys. */
export const exampleKey = (seed: string, sampleId: string): string =>
  createHash("sha256").update(`example:${seed}:${sampleId}`).digest("hex");

const NOTHING: Measure = { count: 0, sum: 0, min: 0, max: 0, median: 0, p90: 0, p99: 0, bins: [] };

const entryOf = <Entry>(tally: Map<string, Entry>, key: string, create: (key: string) => Entry): Entry => {
  const known = tally.has(key) || tally.size < MOST_KEYS ? key : REST;
  const entry = tally.get(known) ?? create(known);
  tally.set(known, entry);
  return entry;
};

/** Orders by count, then by name, so that the order of the calls does not matter. */
const mostFirst = <Entry extends object>(tally: Map<string, Entry>, countOf: (entry: Entry) => number): Entry[] =>
  [...tally.entries()]
    .sort(([oneKey, one], [otherKey, other]) => countOf(other) - countOf(one) || (oneKey < otherKey ? -1 : 1))
    .map(([, entry]) => ({ ...entry }));

const unwrittenBy = (preset: string, tally: Map<string, UnwrittenFacts["reasons"][number]>): UnwrittenFacts => {
  const reasons = mostFirst(tally, ({ samples }) => samples);
  return { preset, samples: reasons.reduce((sum, { samples }) => sum + samples, 0), reasons };
};

/** Shortens a sample for the report, because documents can have megabytes. */
const shortened = (messages: readonly Message[]): Pick<Example, "head" | "omitted" | "tail"> => {
  const headLength = messages.length <= HEAD + TAIL + 1 ? messages.length : HEAD;
  const tail = messages.length === headLength ? [] : messages.slice(-TAIL);
  const brief = (list: readonly Message[]) => list.map((message) => ({ ...message, content: cut(message.content) }));
  return {
    head: brief(messages.slice(0, headLength)),
    omitted: messages.length - headLength - tail.length,
    tail: brief(tail),
  };
};

const cut = (text: string): string => (text.length > 600 ? `${text.slice(0, 600).toWellFormed()} …` : text);
