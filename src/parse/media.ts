import { mediaPath, type StoredMedia } from "../core/media.ts";
import type { MediaFile, Transcript } from "../core/transcript.ts";

/** Numbers in places are compared as numbers: segment 10 comes after segment 9. */
const inOrder = (place: string): string => place.replace(/\d{1,20}/g, (digits) => digits.padStart(20, "0"));

const byPlace = (one: StoredMedia, other: StoredMedia): number => {
  const [first, second] = [inOrder(one.place), inOrder(other.place)];
  const early = (one.at?.getTime() ?? Number.MAX_VALUE) - (other.at?.getTime() ?? Number.MAX_VALUE);
  return early || (first < second ? -1 : first > second ? 1 : 0);
};

/**
The transcript with the files of its conversation that are stored: those of turns first, in the order of the turns, then by
time and place, so that the segments of a recording follow each other.
*/
export const withMedia = (transcript: Transcript, media: readonly StoredMedia[]): Transcript => {
  const turnByAudio = new Map<string, number>();
  for (const [at, { audio }] of transcript.turns.entries())
    if (audio !== undefined && !turnByAudio.has(audio)) turnByAudio.set(audio, at + 1);
  const files = media.toSorted(byPlace).flatMap((each): MediaFile[] => {
    const { kind, place, sha256, bytes, type, seconds } = each;
    if (each.state !== "stored" || sha256 === undefined || bytes === undefined) return [];
    const turn = turnByAudio.get(place);
    return [
      {
        kind,
        ...(turn !== undefined && { turn }),
        path: `media/${mediaPath({ sha256, type })}`,
        sha256,
        bytes,
        ...(seconds !== undefined && { seconds }),
      },
    ];
  });
  if (files.length === 0) return transcript;
  const turnOf = ({ turn = Number.POSITIVE_INFINITY }: MediaFile): number => turn;
  const { provenance, extra, ...rest } = transcript;
  const sorted = files.toSorted((one, other) => turnOf(one) - turnOf(other) || 0);
  return { ...rest, media: sorted, provenance, ...(extra && { extra }) };
};
