import { describe, expect, test } from "vitest";
import { callRecords, objectOf } from "./object-memory.ts";
import { emulators } from "./running.ts";

const start = emulators();

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** The object that the data of a callback names, by the rule of a reader: a link to audio, or a pair of bucket and object. */
const audioIn = (data: unknown): string | undefined => {
  if (!isObject(data)) return undefined;
  const texts = Object.entries(data).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  const link = texts.find(([, text]) => /^https:.*\.wav(\?|$)/.test(text))?.[1];
  if (link !== undefined) return objectOf(link);
  const bucket = texts.find(([name]) => /bucket$/i.test(name))?.[1];
  const key = texts.find(([name, text]) => /object$/i.test(name) && text.endsWith(".wav"))?.[1];
  if (bucket !== undefined && key !== undefined) return `${bucket}/${key}`;
  return Object.values(data)
    .map(audioIn)
    .find((found) => found !== undefined);
};

const wavOf = (body: Uint8Array | undefined) => {
  const file = Buffer.from(body ?? []);
  const text = (from: number, to: number): string => file.toString("latin1", from, to);
  return {
    tags: [text(0, 4), text(8, 16), text(36, 40)],
    lengths: [file.readUInt32LE(4) + 8, file.readUInt32LE(40) + 44, file.length],
    format: [file.readUInt16LE(20), file.readUInt16LE(22), file.readUInt16LE(34)],
    rate: file.readUInt32LE(24),
    bytesPerSecond: file.readUInt32LE(28),
    isSilent: file.subarray(44).every((byte) => byte === 0),
    samples: file.subarray(44),
  };
};

const recordsOf = (body: { data?: Fields; dialogues?: Fields[] }): Fields[] =>
  body.dialogues ?? (body.data?.dialogues as Fields[]);

describe("the callbacks of a call", () => {
  test("come in their natural order, with one envelope", async () => {
    const emulator = await start({ calls: 30 });
    for (const id of emulator.ids()) {
      const bodies = emulator.callbacks(id);
      const events = bodies.map(({ event }) => event);
      expect(events.slice(0, 2)).toEqual(["agent_start", "session_start"]);
      expect(events.slice(-2)).toEqual(["agent_stop", "full_audio_record"]);
      expect(new Set(bodies.map(({ requestId }) => requestId)).size).toBe(bodies.length);
      for (const body of bodies)
        expect(body).toMatchObject({
          instanceId: id,
          aiAgentId: expect.any(String),
          code: "Success",
          message: "Success",
        });
      expect(emulator.agents).toContain(bodies[0]?.aiAgentId);
    }
    const all = [...emulator.ids()].flatMap((id) => emulator.callbacks(id));
    expect(all.filter(({ event }) => event === "intent_recognized").length).toBeGreaterThan(20);
    expect(all.filter(({ event }) => event === "client_defined_data").length).toBeGreaterThan(3);
    expect(all.some(({ extendData }) => extendData === undefined)).toBe(true);
    expect(all.some(({ extendData }) => extendData !== undefined)).toBe(true);
  });

  test("chat_record has the dialogues of the session, at the top or under data", () => {
    const { api, directory, sessions } = callRecords({ calls: 40 });
    const places = new Set<string>();
    for (const id of directory.ids()) {
      const call = directory.find(id);
      const dialogues = call ? api.dialogues(sessions.of(call)) : [];
      const chat = api.callbacks(id).filter(({ event }) => event === "chat_record");
      for (const { data, dialogues: top } of chat) places.add(top ? "top" : `data ${Boolean(data)}`);
      expect(chat.flatMap(recordsOf)).toEqual(
        dialogues.map(({ RoundId, DialogueId, Producer, Text, ReasoningText, Time, Source, Type }) => ({
          roundId: RoundId,
          dialogueId: DialogueId,
          producer: Producer,
          text: Text,
          ...(ReasoningText !== undefined && { reasoningText: ReasoningText }),
          time: Time,
          source: Source,
          type: Type,
        })),
      );
    }
    expect(places).toEqual(new Set(["top", "data true"]));
  });

  test("audio_record names a WAV file for each sentence, in several ways", () => {
    const { api, directory, objects } = callRecords({ calls: 40 });
    const shapes = new Set<string>();
    for (const id of directory.ids()) {
      const bodies = api.callbacks(id);
      const sentences = bodies.filter(({ event }) => event === "audio_record");
      const dialogues = bodies.filter(({ event }) => event === "chat_record").flatMap(recordsOf);
      const names = sentences.map(({ data }) => audioIn(data) ?? "none");
      expect(new Set(names).size).toBe(sentences.length);
      sentences.forEach(({ data = {} }, index) => {
        const { roundId, dialogueId, producer, text, time } = dialogues[index] ?? {};
        const keys = { roundId, dialogueId, time };
        for (const [name, value] of Object.entries(keys)) if (name in data) expect(data[name]).toBe(value);
        expect([data.role, data.text]).toEqual([producer, text]);
        shapes.add(Object.keys(data).sort().join());
      });
      const pieces = names.map((name) => wavOf(objects.get(name)?.body));
      for (const { tags, lengths, format, rate, bytesPerSecond, isSilent } of pieces) {
        expect(tags).toEqual(["RIFF", "WAVEfmt ", "data"]);
        expect(new Set(lengths).size).toBe(1);
        expect(format).toEqual([1, 1, 16]);
        expect([8_000, 16_000]).toContain(rate);
        expect(bytesPerSecond).toBe(rate * 2);
        expect(isSilent).toBe(false);
      }
      const full = wavOf(objects.get(audioIn(bodies.at(-1)?.data) ?? "")?.body);
      expect(full.rate).toBe(pieces[0]?.rate);
      expect(full.samples).toEqual(Buffer.concat(pieces.map(({ samples }) => samples)));
    }
    expect(shapes.size).toBeGreaterThan(6);
    expect([...objects.values()].every(({ type, modifiedAt }) => type === "audio/wav" && modifiedAt)).toBe(true);
  });

  test("the same seed gives the same callbacks and sounds", () => {
    const [a, b, c] = [callRecords({ calls: 10 }), callRecords({ calls: 10 }), callRecords({ calls: 10, seed: 2 })];
    const text = ({ api, directory }: typeof a): string =>
      JSON.stringify([...directory.ids()].map((id) => api.callbacks(id)));
    expect(text(b)).toBe(text(a));
    expect(b.objects).toEqual(a.objects);
    expect(text(c)).not.toBe(text(a));
  });

  test("a call that has not ended has no agent_stop yet, and its other callbacks stay the same", async () => {
    const emulator = await start({ calls: 4, open: 1 });
    const id = [...emulator.ids()].at(-1) ?? "";
    const open = emulator.callbacks(id);
    expect(open.map(({ event }) => event)).toContain("chat_record");
    expect(open.map(({ event }) => event)).not.toContain("agent_stop");
    emulator.finish(id);
    const ended = emulator.callbacks(id);
    expect(ended.slice(-2).map(({ event }) => event)).toEqual(["agent_stop", "full_audio_record"]);
    expect(ended.slice(0, -2).map(({ requestId }) => requestId)).toEqual(open.map(({ requestId }) => requestId));
  });

  test("a call without a readable log only starts and stops; an unknown one has none", async () => {
    const emulator = await start({ calls: 0 });
    const id = emulator.add({ body: "<html>" });
    expect(emulator.callbacks(id).map(({ event }) => event)).toEqual(["agent_start", "session_start", "agent_stop"]);
    expect(emulator.callbacks("nobodys")).toEqual([]);
  });
});
