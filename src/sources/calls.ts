import { ArchiveError, type InvalidDocument, LinkExpired, messageOf, NotFound } from "../core/errors.ts";
import { isUsableId } from "../core/ids.ts";
import type { Download, Fetch, FetchResult, FoundCall, Ims, Instance, Log } from "../core/ports.ts";
import { GIVE_UP_MS } from "../core/pull.ts";
import type { Document, Window } from "../core/records.ts";
import { isStandIn, standInOf } from "../core/stand-in.ts";
import { startedAt as startOf } from "../parse/call-log.ts";
import { examine } from "./examine.ts";
import { findAgain } from "./windows.ts";

/** How many new links one call may get, at most. */
const REFRESHES = 10;
/** Largest batch of ids. The first batches are smaller, so that work starts early when ids come slowly. */
const BATCH = 2_000;
const FIRST_BATCH = 16;

export interface CallsOptions {
  ims: Ims;
  download: Download;
  /**
  Describe listed calls too, for fields that list does not return: times, numbers, duration.

  @default "auto": describe only calls selected by id, which is needed to get their link
  */
  describe?: "auto" | "always";
  now: () => Date;
  log: Log;
}

/** Calls by instance id or stand-in id, in batches. */
export async function* callsById(ids: AsyncIterable<string> | Iterable<string>): AsyncGenerator<FoundCall[]> {
  let batch: FoundCall[] = [];
  let size = FIRST_BATCH;
  for await (const instanceId of ids) {
    const ref = isStandIn(instanceId) ? { standIn: instanceId.toLowerCase() } : { instanceId };
    if (batch.push({ ref }) < size) continue;
    yield batch;
    batch = [];
    size = Math.min(BATCH, 2 * size);
  }
  if (batch.length > 0) yield batch;
}

/** Creates the fetch of one call: get the link by describe or list, download, check the document. */
export const fetchCalls = ({ ims, download, describe = "auto", now, log }: CallsOptions): Fetch => {
  /** The current instance of a call, with a new link. @throws NotFound when it is no longer listed */
  const findInstance = async ({ ref, listPage }: FoundCall, signal?: AbortSignal): Promise<Instance> => {
    if (ref.instanceId) return ims.describeInstance(ref.instanceId, signal);
    const found = listPage && ref.link ? await findAgain(ims, listPage, ref.link, signal) : undefined;
    if (found) return found;
    const message = listPage
      ? "The service no longer lists this call."
      : "The archive does not know where this call was listed. Select its agent and range again.";
    throw new NotFound(message, { code: "NotListed" });
  };

  /** Downloads the document, with a new link when one has expired; `open` when it may not be written yet. */
  const documentOf = async (found: FoundCall, instance: Instance, signal?: AbortSignal): Promise<Document | "open"> => {
    let link = instance.link;
    for (let refreshes = 0; ; refreshes += 1) {
      if (!link) {
        if (mayStillBeWritten(found, instance, now())) return "open";
        throw new NotFound("The call is finished, but has no log.", { code: "NoLink" });
      }
      try {
        return await download(link, signal, found.ref.instanceId);
      } catch (error) {
        if (error instanceof NotFound && mayStillBeWritten(found, instance, now())) return "open";
        if (!(error instanceof LinkExpired) || refreshes >= REFRESHES) throw error;
        log("debug", "link-refreshed", { id: found.ref.instanceId ?? standInOf(addressOf(link)) });
        ({ link } = await findInstance(found, signal));
      }
    }
  };

  /** Describes a call whose document is downloaded. A failure is only logged, so that the document is kept. */
  const describeDetails = async (id: string, signal?: AbortSignal): Promise<Instance | undefined> => {
    try {
      return await ims.describeInstance(id, signal);
    } catch (error) {
      if (!(error instanceof ArchiveError) || error.next === "stop") throw error;
      log("warn", "not-described", { id, code: error.facts.code, message: error.message });
      return undefined;
    }
  };

  return async (found, signal) => {
    const { ref, link } = found;
    if (found.describeOnly && ref.instanceId) {
      const { status, meta } = await ims.describeInstance(ref.instanceId, signal);
      return { state: "fetched", status, meta };
    }
    const listed: Instance | undefined = link && { link, status: ref.status ?? "Finished", meta: ref.meta ?? {} };
    let instance = listed ?? (await findInstance(found, signal));
    const instanceFields = (): Omit<FetchResult, "state"> => ({
      status: instance.status,
      meta: instance.meta,
      ...(ref.instanceId && { instanceId: ref.instanceId }),
      ...(instance.link && { link: addressOf(instance.link) }),
    });
    if (instance.status !== "Finished") return { state: "open", ...instanceFields() };
    const document = await documentOf(found, instance, signal);
    if (document === "open") return { state: "open", ...instanceFields() };

    const examined = await examine(document, ref.instanceId, async () => {
      const downloadedAgain = await documentOf(found, instance, signal);
      return downloadedAgain === "open" ? document : downloadedAgain;
    });
    const { log: callLog, error } = examined;
    const carriedId = callLog?.instanceId ?? "";
    // An id in the form of a stand-in id would be read as another call's link.
    const instanceId = isUsableId(carriedId) && !isStandIn(carriedId) ? carriedId : undefined;
    if (listed && describe === "always" && instanceId) {
      const described = await describeDetails(instanceId, signal);
      if (described) instance = { ...described, link: listed.link ?? described.link } as Instance;
    }
    const startedAt = startOf(callLog, instance.meta);
    return {
      ...instanceFields(),
      state: error ? "invalid" : "fetched",
      document: examined.document,
      ...(startedAt && { startedAt }),
      ...(!ref.instanceId && instanceId && { instanceId }),
      ...(error && { error: errorFields(error) }),
    };
  };
};

const errorFields = (error: InvalidDocument) => ({ ...error.facts, message: messageOf(error) });

/** The address of a link, without its query. */
export const addressOf = (link: URL): string => link.origin + link.pathname;

/** Whether a missing document may still be written: the call, or its listing, is younger than `GIVE_UP_MS`. */
const mayStillBeWritten = ({ listPage }: FoundCall, { meta }: Instance, now: Date): boolean => {
  const modified = Date.parse(String(meta.GmtModified ?? ""));
  return isYoung(Number.isNaN(modified) ? listPage : { end: new Date(modified) }, now);
};

/** Whether the end of a window is recent enough for its calls to change; true for an unknown window. */
export const isYoung = (window: Pick<Window, "end"> | undefined, now: Date): boolean =>
  window === undefined || now.getTime() - window.end.getTime() < GIVE_UP_MS;
