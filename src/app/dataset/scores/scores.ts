import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { openScoresAt } from "../../../archive/index.ts";
import { UsageError } from "../../../core/errors.ts";
import type { Sample } from "../../../core/sample.ts";
import type { ScoreCache } from "../../../core/score-cache.ts";
import type { JsonObject } from "../../../core/transcript.ts";
import { commandLineOf } from "../../command/command-line.ts";
import { LineProcess } from "../../command/line-program.ts";
import type { Host } from "../../context.ts";
import { SCORE_TIMEOUT } from "../../defaults.ts";
import type { DatasetRequest } from "../request.ts";
import type { ScoreGate, Scores } from "./gate.ts";
import { SCORE_DIALOG, scoreQuestion } from "./score-command.ts";
import { scoresInFiles } from "./score-files.ts";

type ScoreRequest = Pick<DatasetRequest, "archive" | "scores" | "scoreCommand" | "scoreTimeout" | "minScore">;

/** Samples that are asked about at once, so that a crash loses few answers, and their size in characters. */
const BATCH = { samples: 256, characters: 4 * 1024 * 1024 };

/**
The scores that a request wants; undefined for none. A score in a file is taken before the command is asked. A score of a
conversation counts for all its samples.

@throws UsageError
*/
export const scoresOf = async (request: ScoreRequest, host: Host): Promise<Scores | undefined> => {
  const { scores: files, scoreCommand, minScore } = request;
  if (files === undefined && scoreCommand === undefined) {
    if (minScore === undefined) return undefined;
    throw new UsageError("--min-score needs scores: add --score-command or --scores.");
  }
  const told = await scoresInFiles(files ?? [], host);
  const asking = scoreCommand === undefined ? undefined : createAsking(scoreCommand, request, host);
  const fromFile = (sample: Sample, conversation: string): number | undefined =>
    told.get(`${conversation}${sample.id.slice(sample.callId.length)}`) ?? told.get(conversation);

  const gate: ScoreGate = ({ conversation, samples }, unit, lost) =>
    samples.flatMap((sample) => {
      const score = fromFile(sample, conversation) ?? asking?.scoreOf(sample);
      const reason = minScore === undefined ? undefined : reasonOf(score, minScore);
      if (reason === undefined) return score === undefined ? sample : { ...sample, score };
      lost.push({ callId: sample.id, unit, step: "score", reason });
      return [];
    });
  if (!asking) return { gate, close: async () => undefined };
  const collect: ScoreGate = ({ conversation, samples }) => {
    for (const sample of samples) if (fromFile(sample, conversation) === undefined) asking.want(sample);
    return [];
  };
  return { gate, asking: { collect, ask: asking.ask }, close: asking.close };
};

const reasonOf = (score: number | undefined, least: number): string | undefined =>
  score === undefined ? "no-score" : score < least ? "min-score" : undefined;

const createAsking = (command: string, { archive, scoreTimeout = SCORE_TIMEOUT }: ScoreRequest, host: Host) => {
  const line = commandLineOf(command, "--score-command", host);
  const judge = new LineProcess(SCORE_DIALOG, line, host, scoreTimeout * 1000);
  let cache: ScoreCache | undefined;
  const wanted = new Map<string, JsonObject>();
  let known = new Map<string, number>();

  // Another command, or the same with other arguments, gives other scores.
  const digestOf = (question: JsonObject): string =>
    createHash("sha256")
      .update(`${command}\n${JSON.stringify(question)}`)
      .digest("hex");

  const askAll = async (questions: readonly [digest: string, question: JsonObject][], signal: AbortSignal) => {
    const answers = await judge.ask(
      questions.map(([, question]) => question),
      signal,
    );
    const scores = new Map(questions.map(([digest], at) => [digest, answers[at] as number]));
    await cache?.put(scores);
    for (const [digest, score] of scores) known.set(digest, score);
  };

  return {
    want: (sample: Sample): void => {
      const question = scoreQuestion(sample);
      wanted.set(digestOf(question), question);
    },
    ask: async (signal: AbortSignal): Promise<void> => {
      if (archive !== false) cache ??= await openScoresAt(`${resolve(host.cwd, archive)}.scores`);
      known = (await cache?.get([...wanted.keys()])) ?? new Map();
      let batch: [string, JsonObject][] = [];
      let characters = 0;
      for (const each of wanted) {
        if (known.has(each[0])) continue;
        batch.push(each);
        characters += JSON.stringify(each[1]).length;
        if (batch.length < BATCH.samples && characters < BATCH.characters) continue;
        await askAll(batch, signal);
        batch = [];
        characters = 0;
      }
      if (batch.length > 0) await askAll(batch, signal);
      wanted.clear();
    },
    scoreOf: (sample: Sample): number | undefined => known.get(digestOf(scoreQuestion(sample))),
    close: async (): Promise<void> => {
      await judge.close();
      await cache?.close();
    },
  };
};
