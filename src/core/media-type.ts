/** A kind of file that a conversation may have: how it begins, and the ending of its name. */
interface MediaType {
  type: string;
  ending: string;
  matches: (start: Buffer) => boolean;
}

const has = (text: string, at = 0) => {
  const wanted = Buffer.from(text, "latin1");
  return (start: Buffer): boolean => start.subarray(at, at + wanted.length).equals(wanted);
};
const all =
  (...tests: ((start: Buffer) => boolean)[]) =>
  (start: Buffer): boolean =>
    tests.every((test) => test(start));

/** Two bytes of an MPEG audio frame or of AAC in ADTS: eleven or twelve bits that are set, then the layer. */
const frame = (mask: number, value: number) => (start: Buffer) =>
  start.length > 1 && start[0] === 0xff && ((start[1] ?? 0) & mask) === value;

const TYPES: readonly MediaType[] = [
  { type: "audio/wav", ending: "wav", matches: all(has("RIFF"), has("WAVE", 8)) },
  { type: "audio/ogg", ending: "ogg", matches: has("OggS") },
  { type: "audio/flac", ending: "flac", matches: has("fLaC") },
  { type: "audio/amr", ending: "amr", matches: has("#!AMR") },
  { type: "audio/mpeg", ending: "mp3", matches: has("ID3") },
  { type: "audio/aac", ending: "aac", matches: frame(0xf6, 0xf0) },
  { type: "audio/mpeg", ending: "mp3", matches: frame(0xe6, 0xe2) },
  { type: "audio/mp4", ending: "m4a", matches: all(has("ftyp", 4), has("M4A", 8)) },
  { type: "video/mp4", ending: "mp4", matches: has("ftyp", 4) },
  { type: "video/webm", ending: "webm", matches: has("\x1a\x45\xdf\xa3") },
  { type: "application/vnd.apple.mpegurl", ending: "m3u8", matches: has("#EXTM3U") },
  { type: "video/mp2t", ending: "ts", matches: (start) => start.length > 0 && start[0] === 0x47 },
];

/** What begins as a page or as data is no media: an error page of a server, say. A byte order mark may be before it. */
const TEXT = /^(?:\xef\xbb\xbf)?\s*[<{[]/;
const UNKNOWN = "application/octet-stream";

/**
The media type of a file by its first 64 bytes, never by its name or by what a server says of it.

@returns undefined for a text; `application/octet-stream` for bytes of a kind that is not known, for example raw PCM
*/
export const mediaTypeOf = (start: Uint8Array): string | undefined => {
  const bytes = Buffer.from(start);
  if (bytes.length === 0) return undefined;
  const known = TYPES.find(({ matches }) => matches(bytes));
  if (known) return known.type;
  return TEXT.test(bytes.toString("latin1")) ? undefined : UNKNOWN;
};

/** The ending of the name of a file of this type, with its dot. */
export const endingOf = (type: string | undefined): string =>
  `.${TYPES.find((each) => each.type === type)?.ending ?? "bin"}`;

/**
How long a WAV file plays, in seconds, by its header and its length; undefined for other files.

@param start its first 64 bytes
@param bytes its whole length
*/
export const wavSeconds = (start: Uint8Array, bytes: number): number | undefined => {
  const header = Buffer.from(start);
  if (header.length < 44 || mediaTypeOf(start) !== "audio/wav" || header.toString("latin1", 12, 16) !== "fmt ")
    return undefined;
  const bytesPerSecond = header.readUInt32LE(28);
  const data = header.indexOf("data", 20, "latin1");
  if (bytesPerSecond === 0 || data < 0 || data + 8 > bytes) return undefined;
  return Math.round(((bytes - data - 8) / bytesPerSecond) * 1000) / 1000;
};
