import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** A document's bytes as the archive keeps them. */
export interface Packed {
  codec: string;
  body: Uint8Array | ArrayBuffer;
}

/** Runs on zlib's own threads: the main one stays free for the network. */
export const compress = async (bytes: Uint8Array): Promise<Packed> => ({
  codec: "deflate",
  body: await deflate(bytes),
});

export const expand = async ({ codec, body }: Packed): Promise<Uint8Array> => {
  const stored = body instanceof Uint8Array ? body : new Uint8Array(body);
  if (codec === "deflate") return inflate(stored);
  throw new Error(`The archive holds a document in an unknown encoding "${codec}".`);
};
