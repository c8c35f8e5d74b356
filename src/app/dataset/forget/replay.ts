import { LANGUAGES, type Language, type Message, type Sample } from "../../../core/sample.ts";
import { isObject, type Json, type JsonObject } from "../../../core/transcript.ts";
import { messagesOfRow } from "../../../presets/checks/row-messages.ts";
import { createStats, EXAMPLES, exampleKey } from "../../../reports/stats.ts";
import { objectIn } from "./set.ts";

/** A sample that the report may show: where its row is now, and what is known of it. */
interface Candidate {
  key: string;
  line: JsonObject;
}

/**
Counts a data set again from its sidecars.

@param countsCalls samples of whole calls are counted, otherwise those of turns
*/
export const createReplay = (seed: string, countsCalls: boolean) => {
  const stats = createStats({ seed });
  const conversations = new Set<string>();
  const samples = new Set<string>();
  let candidates: Candidate[] = [];

  const isCounted = (line: JsonObject): boolean => !countsCalls || line.id === line.conversation;

  /** Counts a sample, and its conversation the first time. */
  const sample = (line: JsonObject): void => {
    const { conversation, split, seconds, tokens, interrupted } = line;
    if (!conversations.has(String(conversation))) {
      conversations.add(String(conversation));
      stats.keep({
        split: String(split),
        changes: listOf(line.changes).map(String),
        redacted: objectIn(line, "redacted") as Record<string, number>,
        ...(typeof seconds === "number" && { seconds }),
        ...(typeof interrupted === "number" && { interrupted }),
      });
    }
    if (!isCounted(line) || samples.has(String(line.id))) return;
    samples.add(String(line.id));
    const size = {
      language: languageIn(line),
      turns:
        typeof line.messages === "number"
          ? line.messages
          : listOf(line.turns).filter((turn) => isObject(turn) && turn.role !== "system").length,
      characters: Number(line.characters),
      ...(typeof tokens === "number" && { tokens }),
    };
    stats.count(size, String(split));
  };

  return {
    /** Counts a line of the provenance. */
    written: (line: JsonObject): void => {
      if (typeof line.halfAnswers === "number") stats.learn(line.halfAnswers);
      const isNew = isCounted(line) && !samples.has(String(line.id));
      sample(line);
      if (!isNew) return;
      const { turns: _, ...shown } = line;
      const candidate = { key: exampleKey(seed, String(line.id)), line: shown };
      candidates = [...candidates, candidate].sort((one, other) => (one.key < other.key ? -1 : 1)).slice(0, EXAMPLES);
    },
    /** Counts a line of what was dropped. */
    dropped: (line: JsonObject): void => {
      const { id, preset, unit, of, step, reason } = line;
      const dropped = { callId: String(id), step: String(step), reason: String(reason) };
      const why = { ...dropped, ...(typeof of === "string" && { of }) };
      if (typeof preset === "string") {
        stats.refuse(preset, dropped.reason);
        sample(line);
      } else if (unit === undefined) stats.drop(why);
      else stats.lose(why);
    },
    /** The rows that the report shows, by file and number. */
    shown: (): { file: string; row: number }[] =>
      candidates.map(({ line }) => ({ file: String(line.file), row: Number(line.row) })),
    /** Shows the row of a candidate. */
    show: (place: { file: string; row: number }, row: JsonObject): void => {
      const line = candidates.find((each) => each.line.file === place.file && each.line.row === place.row)?.line;
      if (line) stats.offer(sampleOf(line, row), String(line.split), listOf(line.changes).map(String));
    },
    stats,
  };
};

const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

const languageIn = ({ language }: JsonObject): Language => LANGUAGES.find((name) => name === language) ?? "other";

const sampleOf = (line: JsonObject, row: JsonObject): Sample => ({
  id: String(line.id),
  callId: String(line.conversation),
  language: languageIn(line),
  ...(typeof line.tokens === "number" && { tokens: line.tokens }),
  ...(typeof line.seconds === "number" && { durationSeconds: line.seconds }),
  messages: withLearning(row),
});

/** The messages of a row; those that its preset marks, or TRL's prompt, are not learned. */
const withLearning = (row: JsonObject): Message[] => {
  const prompt = listOf(row.prompt).length;
  const marks = listOf(row.messages);
  return messagesOfRow(row).map((message, at) => {
    const mark = marks[at];
    const isMarked =
      isObject(mark) && [mark.loss, mark.train, mark.weight].some((value) => value === false || value === 0);
    return message.role === "assistant" && (isMarked || at < prompt) ? { ...message, learn: false } : message;
  });
};
