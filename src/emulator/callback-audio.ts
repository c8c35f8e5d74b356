import type { Call } from "./corpus.ts";
import type { Dialogue } from "./dialogue.ts";
import { joined, millisecondsOf, type Sound, tone, wav } from "./media-bytes.ts";
import type { ObjectPort } from "./object-port.ts";
import { hash32, Random } from "./random.ts";

const BUCKET = "emulator-audio";

/** How an audio file is named in the data of a callback. Its bucket is private: the pairs need keys. */
type Reference = (place: { bucket: string; key: string }, link: () => string) => Record<string, unknown>;

// The service's own names are not documented, so a reader must not rely on one of these.
const references: readonly [Reference, ...Reference[]] = [
  (_, link) => ({ audioUrl: link() }),
  ({ bucket, key }) => ({ bucket, object: key }),
  (_, link) => ({ format: "wav", url: link() }),
  ({ bucket, key }) => ({ oss: { bucket, object: key } }),
  (_, link) => ({ file: { name: "sentence.wav", fileUrl: link() } }),
  ({ bucket, key }) => ({ ossBucket: bucket, ossObject: key }),
];

export interface CallbackAudioOptions {
  seed: number;
  objects: ObjectPort;
  linkTtlSeconds: number;
}

/** The audio files of calls, and the data of the callbacks that name them. */
export const createCallbackAudio = ({ seed, objects, linkTtlSeconds }: CallbackAudioOptions) => {
  const stored = new Set<string>();

  const soundOf = (call: Call, index: number): Sound => {
    const rate = hash32(call.id) % 3 === 0 ? 16_000 : 8_000;
    const random = new Random(seed, hash32(call.id), 0xa0d1 + index);
    return tone(random, rate, random.int(40, 90));
  };

  const reference = (call: Call, name: string, sound: () => Sound, modifiedAt: number): Record<string, unknown> => {
    const place = { bucket: BUCKET, key: `${call.agent}/${call.id}/${name}.wav` };
    if (!stored.has(place.key))
      objects.put({ ...place, body: wav(sound()), type: "audio/wav", modifiedAt: new Date(modifiedAt) });
    stored.add(place.key);
    const refer = references[hash32(`${seed}:${call.id}`) % references.length] ?? references[0];
    return refer(place, () => objects.link(place.bucket, place.key, linkTtlSeconds));
  };

  return {
    /** The data of audio_record: one sentence. */
    sentence: (call: Call, dialogue: Dialogue, index: number): Record<string, unknown> => {
      const { Producer: role, Text: text, RoundId: roundId, DialogueId: dialogueId, Time: time } = dialogue;
      const sound = (): Sound => soundOf(call, index);
      // A third of the calls name the dialogue, a third only its round, a third neither.
      const kind = hash32(call.id) % 3;
      return {
        role,
        text,
        ...(kind < 2 && { roundId }),
        ...(kind < 1 && { dialogueId }),
        ...(kind > 0 && { time }),
        ...(kind === 1 && { duration: millisecondsOf(sound()) }),
        ...reference(call, `${String(index).padStart(3, "0")}_${role}`, sound, time),
      };
    },

    /** The data of full_audio_record: the sentences of the whole call. */
    full: (call: Call, dialogues: readonly Dialogue[]): Record<string, unknown> => {
      const sounds = dialogues.map((_, index) => soundOf(call, index));
      const ended = dialogues.at(-1)?.Time ?? call.start * 1000;
      return reference(call, "full", () => joined(sounds[0]?.rate ?? 8_000, sounds), ended);
    },
  };
};

export type CallbackAudio = ReturnType<typeof createCallbackAudio>;
