import { NotFound } from "../core/errors.ts";
import type { Vod } from "../core/media.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { isLoopback } from "../http/hosts.ts";
import { type Rpc, textOf } from "./openapi.ts";

/** Version of VOD's API, and its name in RAM. */
export const VOD_VERSION = "2017-03-21";
export const VOD_PRODUCT = "vod";

/** An address of object storage: one of a content network would have a domain of the user's own. */
const OUTPUT = "oss";

/** The Vod port over a client of the RPC protocol. Source: the vendor's pages and SDK of GetMezzanineInfo and GetPlayInfo. */
export const createVod = (rpc: Rpc): Vod => ({
  async address(id, signal) {
    const query = { VideoId: id, OutputType: OUTPUT };
    const original = await rpc("GetMezzanineInfo", query, { signal })
      .then(({ body }) => addressIn(body.Mezzanine, "FileURL"))
      .catch((error: unknown) => {
        // The file as it was uploaded may be deleted while what was made of it is kept.
        if (error instanceof NotFound) return undefined;
        throw error;
      });
    if (original) return original;
    const { body, requestId } = await rpc("GetPlayInfo", query, { signal });
    const address = playable(body.PlayInfoList)
      .map((file) => addressIn(file, "PlayURL"))
      .find((url) => url !== undefined);
    if (address) return address;
    throw new NotFound(`VOD has no file of ${id} that can be downloaded.`, {
      code: "NoFile",
      ...(requestId && { requestId }),
    });
  },
});

const addressIn = (value: Json | undefined, name: "FileURL" | "PlayURL"): URL | undefined => {
  const text = isObject(value) ? textOf(value[name]) : undefined;
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  // Object stores accept https too, and the signature does not include the scheme. Only loopback may use plain http.
  if (url.protocol === "http:" && !isLoopback(url)) url.protocol = "https:";
  return url.protocol === "https:" || url.protocol === "http:" ? url : undefined;
};

/** The files that can be downloaded: those that are one file first, then the largest. */
const playable = (list: Json | undefined): JsonObject[] => {
  const entries = isObject(list) ? list.PlayInfo : list;
  const files = (Array.isArray(entries) ? entries : [entries ?? null]).filter(isObject);
  const isWhole = ({ Format }: JsonObject): number => (/^(m3u8|hls)$/i.test(String(Format)) ? 0 : 1);
  const size = ({ Size }: JsonObject): number => Number(Size) || 0;
  return files
    .filter(({ Status, Encrypt }) => (Status === undefined || Status === "Normal") && Number(Encrypt ?? 0) !== 1)
    .sort((a, b) => isWhole(b) - isWhole(a) || size(b) - size(a));
};
