import { hash } from "node:crypto";
import type { Transcript } from "./transcript.ts";

/** Hex digest of what a destination receives of a transcript: all but where it came from and what it is linked to. */
export const digestOfTranscript = (transcript: Transcript): string =>
  hash("sha256", JSON.stringify({ ...transcript, provenance: undefined, media: undefined, revision: undefined }));

/** The transcript as its `revision`th delivery to a destination. */
export const withRevision = ({ provenance, extra, ...rest }: Transcript, revision: number): Transcript => ({
  ...rest,
  revision,
  provenance,
  ...(extra && { extra }),
});
