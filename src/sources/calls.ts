import { InvalidDocument, LinkExpired, messageOf, NotFound } from "../core/errors.ts";
import type { Document, Download, Fetch, Fetched, Found, Ims, Instance, Log } from "../core/ports.ts";
import { readCallLog, startedAt as startOf } from "../parse/call-log.ts";
import { findAgain, identity, type Listed, listWindow } from "./windows.ts";

/** A link is asked for anew at most this often for one call. */
const REFRESHES = 10;
/** Ids are selected in batches of this size. */
const BATCH = 500;
/** A log that is not there this long after its call ended will not come, in milliseconds. */
const WRITTEN_BY_MS = 72 * 3_600_000;

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

export interface RangeSelection {
  agents: readonly string[];
  since: Date;
  until: Date;
}

/** Calls by instance id. */
export async function* callsById(ids: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Found[]> {
  let batch: Found[] = [];
  for await (const instanceId of ids) {
    if (batch.push({ ref: { instanceId } }) < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/**
Calls of agents whose instances were created in a stretch of time, as the service counts it.

`unnamed` is told of calls that are still running and have neither id nor link yet: there is nothing to record them by.
*/
export async function* callsByRange(
  { ims, log }: Pick<CallsOptions, "ims" | "log">,
  { agents, since, until }: RangeSelection,
  unnamed: (calls: number) => void,
  signal?: AbortSignal,
): AsyncGenerator<Found[]> {
  // The service counts whole seconds: widened to them, so that none is cut off.
  const start = new Date(Math.floor(since.getTime() / 1000) * 1000);
  const end = new Date(Math.ceil(until.getTime() / 1000) * 1000);
  for (const agentId of agents) {
    const nameless = new Set<string>();
    for await (const listed of listWindow({ ims, agentId, start, end, log, ...(signal && { signal }) })) {
      const batch: Found[] = [];
      for (const entry of listed) {
        const { id, link } = entry.instance;
        if (id || link) batch.push(foundIn(entry));
        else nameless.add(identity(entry.instance));
      }
      if (batch.length > 0) yield batch;
    }
    if (nameless.size > 0) unnamed(nameless.size);
  }
}

const foundIn = ({ instance: { id, link, status, meta }, place }: Listed): Found => ({
  ref: { agentId: place.agentId, status, meta, ...(id && { instanceId: id }), ...(link && { link: addressOf(link) }) },
  ...(link && { link }),
  place,
});

const addressOf = (link: URL): string => link.origin + link.pathname;

/** Makes the fetch of one call: describe or use the listed link, download, look whether it is what it should be. */
export const fetchCalls = ({ ims, download, describe = "auto", now, log }: CallsOptions): Fetch => {
  /** The call as the service knows it now, with a fresh link. */
  const ask = async ({ ref, place }: Found, signal?: AbortSignal): Promise<Instance> => {
    if (ref.instanceId) return ims.describeInstance(ref.instanceId, signal);
    const again = place && ref.link ? await findAgain(ims, place, ref.link, signal) : undefined;
    if (again) return again;
    throw new NotFound("The service no longer lists this call.", { code: "NotListed" });
  };

  const documentOf = async (found: Found, instance: Instance, signal?: AbortSignal): Promise<Document | "open"> => {
    let link = instance.link;
    for (let refreshes = 0; ; refreshes += 1) {
      if (!link) return "open";
      try {
        return await download(link, signal);
      } catch (error) {
        if (error instanceof NotFound && maybeUnwritten(instance, now())) return "open";
        if (!(error instanceof LinkExpired) || refreshes >= REFRESHES) throw error;
        log("debug", "link-refreshed", { id: found.ref.instanceId ?? addressOf(link) });
        ({ link } = await ask(found, signal));
      }
    }
  };

  return async (found, signal) => {
    const { ref } = found;
    const listed = found.link && { link: found.link, status: ref.status ?? "Finished", meta: ref.meta ?? {} };
    let instance: Instance = listed ?? (await ask(found, signal));
    const facts = (): Omit<Fetched, "state"> => ({
      status: instance.status,
      meta: instance.meta,
      ...(ref.instanceId && { instanceId: ref.instanceId }),
      ...(instance.link && { link: addressOf(instance.link) }),
    });
    if (instance.status !== "Finished") return { state: "open", ...facts() };
    const document = await documentOf(found, instance, signal);
    if (document === "open") return { state: "open", ...facts() };

    const examined = await examine(document, ref.instanceId, async () => {
      const second = await documentOf(found, instance, signal);
      return second === "open" ? document : second;
    });
    const instanceId = examined.log?.instanceId;
    if (listed && describe === "always" && instanceId) instance = await ims.describeInstance(instanceId, signal);
    const startedAt = startOf(examined.log, instance.meta);
    return {
      ...facts(),
      state: examined.error ? "invalid" : "fetched",
      document: examined.document,
      ...(startedAt && { startedAt }),
      ...(!ref.instanceId && instanceId && { instanceId }),
      ...(examined.error && { error: { ...examined.error.facts, message: messageOf(examined.error) } }),
    };
  };
};

/** Whether a document that is not there may still be written. */
const maybeUnwritten = ({ meta }: Instance, now: Date): boolean => {
  const ended = Date.parse(String(meta.GmtModified ?? ""));
  return Number.isNaN(ended) || now.getTime() - ended < WRITTEN_BY_MS;
};

interface Examined {
  document: Document;
  log?: ReturnType<typeof readCallLog>;
  error?: InvalidDocument;
}

/**
Reads a document as a call log.

One that is not JSON may have been cut on its way by something that hid it (a proxy, say): it is fetched once more, and
believed when it comes the same again.
*/
const examine = async (
  document: Document,
  asked: string | undefined,
  fetchAgain: () => Promise<Document>,
): Promise<Examined> => {
  try {
    const log = readCallLog(document.bytes);
    const other = asked && log.instanceId && log.instanceId.toLowerCase() !== asked.toLowerCase();
    if (!other) return { document, log };
    return { document, error: new InvalidDocument("the document belongs to another call", "OtherCall") };
  } catch (error) {
    if (!(error instanceof InvalidDocument)) throw error;
    if (error.facts.code !== "NotJson") return { document, error };
    const second = await fetchAgain();
    if (second.sha256 === document.sha256) return { document, error };
    return examine(second, asked, async () => second);
  }
};
