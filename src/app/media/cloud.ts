import { parseEndpoint } from "../../cloud/endpoint.ts";
import { createRecordings, LIVE_PRODUCT, LIVE_VERSION } from "../../cloud/live.ts";
import { createRpc } from "../../cloud/openapi.ts";
import { createVod, VOD_PRODUCT, VOD_VERSION } from "../../cloud/vod.ts";
import { Refused } from "../../core/errors.ts";
import type { ObjectStorage, OpenRange, Recordings } from "../../core/media.ts";
import { DEFAULT_REGION } from "../../core/region.ts";
import { isLoopback } from "../../http/hosts.ts";
import { openLink } from "../../http/open-file.ts";
import type { RetryOptions } from "../../http/retry.ts";
import { createObjectStorage } from "../../object-storage/client.ts";
import { parsePlace } from "../../object-storage/place.ts";
import { type Connection, type ConnectionContext, reach } from "../cloud.ts";
import type { MediaCloudRequest } from "../record-requests.ts";
import { USER_AGENT } from "../version.ts";

/** What files of conversations are downloaded with. */
export interface MediaCloud extends Pick<Connection, "credentials" | "account" | "place" | "throttled" | "close"> {
  /** The bucket of recordings, in the region of the request. */
  storage: ObjectStorage;
  recordings: Recordings;
  /** The address of object storage, with its flag, for messages. */
  addressFlag: string;
  retry: RetryOptions;
  /** Opens a signed link. Only allowed hosts are asked. */
  openLink(link: URL): OpenRange;
  /** Opens a stored place with our credentials. @throws ArchiveError, also when nothing is known of such places */
  openPlace(place: string, signal: AbortSignal): Promise<OpenRange>;
}

const VOD_PLACE = /^vod:\/\/([\x21-\x7e]{1,256})$/;

/** Whether an address is the domain that a bucket has of its own: those of the service are on aliyuncs.com. */
const isBucketDomain = (endpoint: URL): boolean =>
  !isLoopback(endpoint) && !endpoint.hostname.endsWith(".aliyuncs.com");

/** The place of a media in VOD, whose address is asked for when it is downloaded. */
export const vodPlace = (id: string): string => `vod://${id}`;

/**
Connects to object storage, to the service of recording tasks, and to VOD.

@param context `mayLackKeys`: credentials are needed only when something is requested with them
@throws BadCredentials, UsageError
*/
export const connectMedia = async (
  request: MediaCloudRequest,
  context: ConnectionContext & { mayLackKeys?: boolean },
): Promise<MediaCloud> => {
  const { region = DEFAULT_REGION, ossRegion = region, ossEndpoint, liveEndpoint, vodEndpoint, allowHost } = request;
  const live = parseEndpoint(liveEndpoint ?? "https://live.aliyuncs.com");
  const vodAddress = parseEndpoint(vodEndpoint ?? `https://vod.${region}.aliyuncs.com`);
  const { connection, rpc, retry } = await reach(request, live, context);
  const { dispatcher, credentials } = rpc;
  const endpoint = ossEndpoint === undefined ? undefined : parseEndpoint(ossEndpoint);
  const storageOf = (of: string): ObjectStorage =>
    createObjectStorage({
      dispatcher,
      region: of,
      credentials,
      userAgent: USER_AGENT,
      ...retry,
      ...(endpoint && { endpoint, isBucketDomain: isBucketDomain(endpoint) }),
    });
  const recordings = createRecordings(createRpc({ ...rpc, version: LIVE_VERSION, product: LIVE_PRODUCT }));
  const vod = createVod(createRpc({ ...rpc, endpoint: vodAddress, version: VOD_VERSION, product: VOD_PRODUCT }));
  const permission = {
    allowHosts: allowHost ?? [],
    loopback: [endpoint, live, vodAddress].some((address) => address !== undefined && isLoopback(address)),
  };
  return {
    ...connection,
    storage: storageOf(ossRegion),
    recordings,
    addressFlag: ossEndpoint === undefined ? `--oss-region (${ossRegion})` : `--oss-endpoint (${endpoint?.origin})`,
    retry,
    openLink: (link) => openLink(dispatcher, link, permission),
    openPlace: async (place, signal) => {
      const [, id] = VOD_PLACE.exec(place) ?? [];
      if (id !== undefined) return openLink(dispatcher, await vod.address(id, signal), permission);
      const object = parsePlace(place, endpoint);
      if (object) {
        const storage = storageOf(object.region ?? ossRegion);
        return (...range) => storage.open(object, ...range);
      }
      // Not a bucket of ours: it may be readable without a signature.
      if (URL.canParse(place)) return openLink(dispatcher, new URL(place), permission);
      throw new Refused("Its place is not an address.", { code: "BadPlace" });
    },
  };
};
