import type { Window } from "../core/archive.ts";
import type { Ims, Instance, Log, Place } from "../core/ports.ts";

/** The service's limits: the most that one window can show is their product. */
const PAGE_SIZE = 100;
const LAST_PAGE = 100;
/** How often a window is listed because its pages moved while they were read. */
const PASSES = 3;
const SECOND = 1_000;

export interface Listed {
  instance: Instance;
  place: Place;
}

export interface WindowOptions {
  ims: Ims;
  agentId: string;
  /** The service's own windows may include their end; so neighbours share it and a call twice listed counts once. */
  window: Window;
  log: Log;
  signal?: AbortSignal | undefined;
}

/** One call in a list, which gives no id: the document's address, or what the runtime says while there is none. */
export const identity = ({ id, link, meta }: Instance): string =>
  id?.toLowerCase() ?? (link ? link.origin + link.pathname : JSON.stringify(meta.RuntimeConfig ?? meta));

/**
Lists every instance of a window, page by page, each once.

A window that holds more than the service can show is split in half until it can. One whose pages moved while they were
read (new calls push the others back, so some are seen twice) is listed again: an entry that slipped from a page not yet
read to one already read would otherwise be lost.

@throws Error when more calls than can be listed began within one second: never silently less than all.
*/
export async function* listWindow(options: WindowOptions): AsyncGenerator<Listed[]> {
  const { log, agentId, window } = options;
  const first = await page(options, 1);
  if (first.length === PAGE_SIZE && (await page(options, LAST_PAGE)).length > 0) {
    yield* halves(options);
    return;
  }
  const seen = new Set<string>();
  for (let pass = 1; pass <= PASSES; pass += 1) {
    const read = yield* onePass(options, seen, pass === 1 ? first : undefined);
    if (read.full) {
      yield* halves(options);
      return;
    }
    if (!read.moved) return;
    log(pass < PASSES ? "debug" : "info", pass < PASSES ? "pages-moved" : "keeps-moving", {
      ...shown(window),
      agentId,
      pass,
    });
  }
}

const shown = ({ start, end }: Window) => ({ start: start.toISOString(), end: end.toISOString() });

async function* halves(options: WindowOptions): AsyncGenerator<Listed[]> {
  const { agentId, window, log } = options;
  const { start, end } = window;
  const seconds = Math.floor((end.getTime() - start.getTime()) / SECOND);
  if (seconds <= 1)
    throw new Error(
      `More than ${PAGE_SIZE * LAST_PAGE} calls of agent ${agentId} began within one second at ${start.toISOString()}; the service cannot list them all. Export them by instance id.`,
    );
  const middle = new Date(start.getTime() + Math.floor(seconds / 2) * SECOND);
  log("debug", "window-split", { ...shown(window), agentId });
  yield* listWindow({ ...options, window: { start, end: middle } });
  yield* listWindow({ ...options, window: { start: middle, end } });
}

/** Reads all pages once. `moved`: something was seen twice, or a repeated pass found something new. */
async function* onePass(
  options: WindowOptions,
  seen: Set<string>,
  first: Listed[] | undefined,
): AsyncGenerator<Listed[], { moved: boolean; full: boolean }> {
  const repeated = seen.size > 0;
  const now = new Set<string>();
  let moved = false;
  for (let number = 1; number <= LAST_PAGE; number += 1) {
    const listed = number === 1 && first ? first : await page(options, number);
    const fresh: Listed[] = [];
    for (const entry of listed) {
      const name = identity(entry.instance);
      const isNew = !seen.has(name);
      if (now.has(name) || (repeated && isNew)) moved = true;
      if (isNew) fresh.push(entry);
      now.add(name);
      seen.add(name);
    }
    if (fresh.length > 0) yield fresh;
    if (listed.length < PAGE_SIZE) return { moved, full: false };
  }
  return { moved, full: true };
}

const page = async ({ ims, agentId, window, signal }: WindowOptions, number: number): Promise<Listed[]> => {
  const place = { ...window, agentId, page: number };
  const instances = await ims.listInstances({ ...place, size: PAGE_SIZE }, signal);
  return instances.map((instance) => ({ instance, place }));
};

/**
Finds a listed call again, for a fresh link: on its page, then on the pages after it and before it, where moving pages
carry it. A window that has since come to hold more than can be listed is searched in halves.
*/
export const findAgain = async (
  ims: Ims,
  place: Place,
  name: string,
  signal?: AbortSignal,
): Promise<Instance | undefined> => {
  const pages = [place.page, place.page + 1, place.page - 1];
  for (let number = 1; number <= LAST_PAGE; number += 1) if (!pages.includes(number)) pages.push(number);
  let last = LAST_PAGE;
  for (const number of pages) {
    if (number < 1 || number > last) continue;
    const instances = await ims.listInstances({ ...place, page: number, size: PAGE_SIZE }, signal);
    const found = instances.find((instance) => identity(instance) === name);
    if (found) return found;
    if (instances.length < PAGE_SIZE) last = Math.min(last, number);
  }
  const { start, end } = place;
  const middle = new Date(Math.floor((start.getTime() + end.getTime()) / 2 / SECOND) * SECOND);
  if (last < LAST_PAGE || middle <= start) return undefined;
  const early = await findAgain(ims, { ...place, end: middle, page: 1 }, name, signal);
  return early ?? findAgain(ims, { ...place, start: middle, page: 1 }, name, signal);
};
