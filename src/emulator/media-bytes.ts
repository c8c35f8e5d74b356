import type { Random } from "./random.ts";

/** Sound as samples of 16 bits, one channel. */
export interface Sound {
  /** Samples per second. */
  readonly rate: number;
  readonly samples: Int16Array;
}

const WAV_HEADER = 44;

/** Some milliseconds of a tone that swells and fades, with noise. */
export const tone = (random: Random, rate: number, milliseconds: number): Sound => {
  const length = Math.round((rate * milliseconds) / 1000);
  const step = (2 * Math.PI * random.int(120, 320)) / rate;
  const samples = Int16Array.from({ length }, (_, index) => {
    const swell = Math.sin((Math.PI * index) / length);
    return Math.round(swell * (9_000 * Math.sin(step * index) + 900 * (random.next() - 0.5)));
  });
  return { rate, samples };
};

/** One sound after the other. */
export const joined = (rate: number, sounds: readonly Sound[]): Sound => {
  const samples = new Int16Array(sounds.reduce((sum, sound) => sum + sound.samples.length, 0));
  let at = 0;
  for (const sound of sounds) {
    samples.set(sound.samples, at);
    at += sound.samples.length;
  }
  return { rate, samples };
};

/** How long a sound is, in milliseconds. */
export const millisecondsOf = ({ rate, samples }: Sound): number => Math.round((samples.length * 1000) / rate);

/** A WAV file: PCM, 16 bits, one channel. */
export const wav = ({ rate, samples }: Sound): Uint8Array => {
  const file = Buffer.alloc(WAV_HEADER + samples.length * 2);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(file.length - 8, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((sample, index) => {
    file.writeInt16LE(sample, WAV_HEADER + index * 2);
  });
  return file;
};

/** Bytes that look random. */
const noise = (random: Random, length: number): Buffer => Buffer.from(random.hex(length * 2), "hex");

const box = (type: string, content: Uint8Array): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + content.length);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, content]);
};

/** The boxes of an MP4 file around bytes that no player can decode. */
export const mp4 = (random: Random, length: number): Uint8Array =>
  Buffer.concat([box("ftyp", Buffer.from("isom\0\0\x02\0isomiso2mp41", "latin1")), box("mdat", noise(random, length))]);

const MP3_FRAME = 288;

/** MP3 frames (MPEG-2 layer III, 32 kbit/s, 8 of them a fifth of a second) whose sound is noise. */
export const mp3 = (random: Random, frames: number): Uint8Array =>
  Buffer.concat(
    Array.from({ length: frames }, () =>
      Buffer.concat([Buffer.from([0xff, 0xf3, 0x44, 0xc4]), noise(random, MP3_FRAME - 4)]),
    ),
  );

const TS_PACKET = 188;

/** Packets of an MPEG transport stream, filled with noise. */
export const transportStream = (random: Random, packets: number): Uint8Array =>
  Buffer.concat(
    Array.from({ length: packets }, (_, index) =>
      Buffer.concat([Buffer.from([0x47, 0x01, 0x00, 0x10 | (index % 16)]), noise(random, TS_PACKET - 4)]),
    ),
  );

/** A PNG of one pixel. */
export const picture = (): Uint8Array =>
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
