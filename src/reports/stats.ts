import { createHash } from "node:crypto";
import type { DroppedSample, Language, Message, Sample } from "../core/sample.ts";
import type { DataFile, DatasetFacts, Example, Measure, SplitFacts, UnwrittenFacts } from "./facts.ts";
import { BINS, createHistogram } from "./histogram.ts";

/** How many samples the report shows. */
const EXAMPLES = 10;
/** How many first and last messages of a sample are shown. */
const HEAD = 12;
const TAIL = 4;
/** How many reasons and changes are counted separately: some quote their call, and must not fill the memory. */
const MOST_KEYS = 200;
const REST = "(others)";

/** Facts that the calls do not provide. */
export interface OtherFacts extends Pick<DatasetFacts, "tool" | "task" | "policies" | "redacted"> {
  /** The written files in the order to show. */
  files: readonly DataFile[];
  /** The names of the splits in the order to show; other splits follow. */
  splits?: readonly string[];
}

/**
Collects the facts of a data set from its calls, one by one: kept with its samples, or dropped.

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
  const truncated = { answers: 0, learned: 0 };
  let chosen: { key: string; example: Example }[] = [];

  const count = (sample: Sample, split: SplitFacts): void => {
    split.samples += 1;
    languages[sample.language] += 1;
    histograms.turns.add(sample.messages.filter(({ role }) => role !== "system").length);
    histograms.characters.add(sample.messages.reduce((sum, { content }) => sum + content.length, 0));
    if (sample.tokens === undefined) return;
    split.tokens = (split.tokens ?? 0) + sample.tokens;
    histograms.tokens.add(sample.tokens);
  };

  const offer = ({ messages, ...sample }: Sample, split: string, changes: readonly string[]): void => {
    const key = createHash("sha256").update(`example:${seed}:${sample.id}`).digest("hex");
    const last = chosen.at(-1);
    if (chosen.length === EXAMPLES && last !== undefined && key >= last.key) return;
    const entry = { key, example: { ...sample, split, changes, ...shortened(messages) } };
    chosen = [...chosen, entry].sort((one, other) => (one.key < other.key ? -1 : 1)).slice(0, EXAMPLES);
  };

  return {
    /** Adds a kept call with its samples, at least one. */
    keep: (
      samples: readonly Sample[],
      { split, changes, interrupted = 0 }: { split: string; changes: readonly string[]; interrupted?: number },
    ): void => {
      truncated.answers += interrupted;
      calls.read += 1;
      calls.kept += 1;
      if (changes.length > 0) calls.changed += 1;
      for (const change of new Set(changes)) entryOf(changed, change, (key) => ({ change: key, calls: 0 })).calls += 1;
      const facts = splits.get(split) ?? { name: split, calls: 0, changed: 0, samples: 0 };
      splits.set(split, facts);
      facts.calls += 1;
      if (changes.length > 0) facts.changed += 1;
      const seconds = samples[0]?.durationSeconds;
      if (seconds !== undefined) histograms.seconds.add(seconds);
      for (const sample of samples) {
        count(sample, facts);
        offer(sample, split, changes);
      }
    },

    drop: ({ step, reason }: DroppedSample): void => {
      calls.read += 1;
      calls.dropped += 1;
      const rest = (key: string) =>
        key === REST ? { step: REST, reason: REST, calls: 0 } : { step, reason, calls: 0 };
      entryOf(dropped, `${step}\n${reason}`, rest).calls += 1;
    },

    /** Adds a sample that was dropped, while its call may have kept others. */
    lose: ({ step, reason }: DroppedSample): void => {
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

    facts: ({ tool, task, policies, redacted, files, splits: order = [] }: OtherFacts): DatasetFacts => {
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
        ...(redacted && { redacted }),
      };
    },

    /** Ten samples; their choice and order depend only on the seed and their ids. */
    examples: (): Example[] => chosen.map(({ example }) => example),
  };
};

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
