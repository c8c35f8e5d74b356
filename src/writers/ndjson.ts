import type { ItemPut, Writer } from "../core/ports.ts";
import { jsonOf } from "../core/text.ts";
import type { Transcript } from "../core/transcript.ts";
import { putParts } from "./long.ts";
import { jsonLine, type WriterOptions, type WriterShape } from "./shape.ts";

/** A transcript with more turns is written turn by turn: as one text it would double its memory. */
const LONG_TURNS = 5_000;

/** One transcript per line, or with rows "turn" one turn per line. */
const create = ({ rows = "call" }: WriterOptions): Writer => ({
  begin: () => {},
  item: (transcript, put) => {
    if (rows === "turn") putTurns(transcript, put);
    else if (transcript.turns.length > LONG_TURNS) putLong(transcript, put);
    else put(jsonLine(transcript), { rows: 1 });
    return undefined;
  },
  end: () => {},
});

/** A line has its call and its position, counted from 1. A call without turns gets one line, so that it is not lost. */
const putTurns = (
  { id: callId, source, agentId, sessionId, startedAt, revision, turns }: Transcript,
  put: ItemPut,
): void => {
  const call = jsonLine({ callId, source, agentId, sessionId, startedAt, revision });
  if (turns.length === 0) {
    put(call, { rows: 1 });
    return;
  }
  // The JSON of the call is made once and reused for each turn, because making whole rows is eight times slower.
  const head = call.slice(0, -"}\n".length);
  const part = (index: number): string => {
    const turn = turns[index];
    const row = Object.assign({ turn: index + 1, turnId: turn?.id }, turn, { id: undefined });
    return `${head},${jsonLine(row).slice("{".length)}`;
  };
  putParts(put, { count: turns.length, part });
};

/** Writes the same line as `jsonLine`, in parts: the text before the turns, each turn, and the rest. */
const putLong = (transcript: Transcript, put: ItemPut): void => {
  const { turns } = transcript;
  const fields = Object.entries(transcript);
  const place = fields.findIndex(([name]) => name === "turns");
  const [before, after] = [fields.slice(0, place), fields.slice(place + 1)].map((some) =>
    jsonOf(Object.fromEntries(some)).slice("{".length, -"}".length),
  );
  const head = `{${before}${before ? "," : ""}"turns":[`;
  const tail = `]${after ? "," : ""}${after}}\n`;
  const part = (at: number): string => {
    if (at === 0) return head;
    const turn = turns[at - 1];
    return turn ? `${at > 1 ? "," : ""}${jsonOf(turn)}` : tail;
  };
  putParts(put, { count: turns.length + 2, part, rows: 1 });
};

export const ndjson = {
  create,
  file: "transcripts.ndjson",
  sidecars: [],
  summary: "transcripts, one JSON object per line (per turn with --rows turn)",
  extensions: [".ndjson"],
  redactable: true,
  ids: { folder: "json-lines", file: "json-lines" },
  samples: false,
} satisfies WriterShape;
