import { ArchiveError, type InvalidDocument, LinkExpired, messageOf, NotFound } from "../core/errors.ts";
import type { Download, Fetch, FetchResult, FoundCall, Ims, Instance, Log } from "../core/ports.ts";
import { GIVE_UP_MS } from "../core/pull.ts";
import type { Document, Window } from "../core/records.ts";
import { isStandIn, standInOf } from "../core/stand-in.ts";
import { startedAt as startOf } from "../parse/call-log.ts";
import { examine } from "./examine.ts";
import { findAgain } from "./windows.ts";

/** A link is asked for anew at most this often for one call. */
const REFRESHES = 10;
/** Ids are selected in batches up to this size; the first are small, so that a slow list of them is soon begun with. */
const BATCH = 2_000;
const FIRST_BATCH = 16;

export interface CallsOptions {
  ims: Ims;
  download: Download;
  /**
  Describe listed calls too, for what the list leaves out: times, numbers, duration.

  @default "auto": only calls selected by id, which have to be described anyway
  */
  describe?: "auto" | "always";
  now: () => Date;
  log: Log;
}

/** Calls by instance id, or by the id that stands in for one. */
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

/** Makes the fetch of one call: describe or use the listed link, download, look whether it is what it should be. */
export const fetchCalls = ({ ims, download, describe = "auto", now, log }: CallsOptions): Fetch => {
  /** The call as the service knows it now, with a fresh link. */
  const findInstance = async ({ ref, listPage }: FoundCall, signal?: AbortSignal): Promise<Instance> => {
    if (ref.instanceId) return ims.describeInstance(ref.instanceId, signal);
    const found = listPage && ref.link ? await findAgain(ims, listPage, ref.link, signal) : undefined;
    if (found) return found;
    const message = listPage
      ? "The service no longer lists this call."
      : "The archive does not know where this call was listed: select its agent and range again.";
    throw new NotFound(message, { code: "NotListed" });
  };

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

  /** What describe adds to a call whose document is there; it is not worth losing the document for. */
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
    // An id of that form would be taken for another call's link.
    const instanceId = isStandIn(callLog?.instanceId ?? "") ? undefined : callLog?.instanceId;
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

export const addressOf = (link: URL): string => link.origin + link.pathname;

/** Whether a document that is not there may still be written: by the call's end, or at least by when it was listed. */
const mayStillBeWritten = ({ listPage }: FoundCall, { meta }: Instance, now: Date): boolean => {
  const modified = Date.parse(String(meta.GmtModified ?? ""));
  return isYoung(Number.isNaN(modified) ? listPage : { end: new Date(modified) }, now);
};

/** Whether what happened by the end of a window is so recent that it may still change; unknown counts as recent. */
export const isYoung = (window: Pick<Window, "end"> | undefined, now: Date): boolean =>
  window === undefined || now.getTime() - window.end.getTime() < GIVE_UP_MS;
