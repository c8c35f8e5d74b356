import { ApiError } from "./api-error.ts";
import type { ObjectPort } from "./object-port.ts";
import { required, whole } from "./parameters.ts";
import type { Recordings, VodMedia } from "./recordings.ts";
import type { Action, Product } from "./rpc.ts";

const USUAL_SECONDS = 3_600;
const MOST_SECONDS = 2_592_000;

export interface VodOptions {
  recordings: Recordings;
  objects: ObjectPort;
}

const seconds = (value: number): string => value.toFixed(4);
const time = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

/** The actions on media in VOD. */
export const createVod = ({ recordings, objects }: VodOptions): Product => {
  const mediaOf = (parameters: URLSearchParams): VodMedia => {
    const media = recordings.media(required(parameters, "VideoId"));
    if (!media) throw new ApiError(404, "InvalidVideo.NotFound", "The video does not exist.");
    return media;
  };
  const link = (parameters: URLSearchParams, { bucket, key }: VodMedia): string => {
    const validity = whole(parameters, "AuthTimeout", USUAL_SECONDS, MOST_SECONDS);
    return objects.link(bucket, key, validity);
  };

  const getMezzanineInfo: Action = (parameters) => {
    const media = mediaOf(parameters);
    return {
      Mezzanine: {
        VideoId: media.id,
        FileName: media.key.slice(media.key.lastIndexOf("/") + 1),
        FileURL: link(parameters, media),
        OutputType: parameters.get("OutputType") ?? "cdn",
        Size: media.bytes,
        Duration: seconds(media.seconds),
        Status: "Normal",
        StorageClass: "Standard",
        CreationTime: time(media.createdAt),
      },
    };
  };

  const getPlayInfo: Action = (parameters) => {
    const media = mediaOf(parameters);
    const common = { Duration: seconds(media.seconds), Status: "Normal", CreationTime: time(media.createdAt) };
    const play = { PlayURL: link(parameters, media), Size: media.bytes, Format: "mp4", Definition: "OD", ...common };
    return {
      VideoBase: { VideoId: media.id, Title: media.id, MediaType: "video", StorageClass: "Standard", ...common },
      PlayInfoList: { PlayInfo: [{ ...play, StreamType: "video" }] },
    };
  };

  return {
    name: "vod",
    version: "2017-03-21",
    isMetered: true,
    actions: { GetMezzanineInfo: getMezzanineInfo, GetPlayInfo: getPlayInfo },
  };
};
