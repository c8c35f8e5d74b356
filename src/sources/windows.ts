import type { Ims, Instance, ListPage, Log } from "../core/ports.ts";
import type { Window } from "../core/records.ts";

/** The service's limits: one window returns at most their product. */
const PAGE_SIZE = 100;
const LAST_PAGE = 100;
/** After this many pages the last page is tested, to split a full window before all its pages are read. */
const CHECK_LAST_PAGE_AFTER = 10;
/** How often a window of several pages is listed at most, until two passes are equal. */
const PASSES = 5;
const SECOND = 1_000;

/** What a run knows about the pages of one agent. */
export interface PagingFacts {
  /** True after a page had the requested size: the service does not limit pages, so a short page is the last. */
  full: boolean;
}

export interface ListedInstance {
  instance: Instance;
  listPage: ListPage;
}

export interface WindowOptions {
  ims: Ims;
  agentId: string;
  /** Neighbouring windows share an end, which the service may include; a call that is listed twice counts once. */
  window: Window;
  paging: PagingFacts;
  log: Log;
  signal?: AbortSignal | undefined;
}

/** The identity of a listed call: its id, else the address of its document, else its runtime configuration. */
export const identity = ({ id, link, meta }: Instance): string =>
  id?.toLowerCase() ?? (link ? link.origin + link.pathname : JSON.stringify(meta.RuntimeConfig ?? meta));

/** The result of listing a window, beside its calls. */
export interface WindowResult {
  /** False when no two passes were equal: calls may be missing. */
  settled: boolean;
  /** Calls that only a repeated pass returned. */
  late: number;
  /** Identities of the calls with neither id nor link, in the last pass. */
  nameless: ReadonlySet<string>;
}

/**
Lists every instance of a window, page by page, each once.

A window with more calls than the service returns is split in half, again and again. Pages move while they are read: a
new call moves others to a later page, so that some come twice; a removed call moves others to an earlier page, so that
some are never returned. One page is consistent; several pages are listed until two passes are equal.

@throws Error when one second has more calls than the service can list
*/
export async function* listWindow(options: WindowOptions): AsyncGenerator<ListedInstance[], WindowResult> {
  const { log, agentId, window } = options;
  const seen = new Set<string>();
  let late = 0;
  let previous: Pass | undefined;
  for (let number = 1; number <= PASSES; number += 1) {
    const pass = yield* readPages(options, seen);
    if (pass.full) {
      const parts = yield* listHalves(options, pass.size);
      return { ...parts, late: parts.late + late };
    }
    if (previous) late += pass.newCalls;
    const { nameless } = pass;
    if (pass.pages <= 1 || (previous && !pass.repeated && sameNames(previous.names, pass.names)))
      return { settled: true, late, nameless };
    if (previous || pass.repeated) log("debug", "pages-moved", { ...windowFields(window), agentId, pass: number });
    previous = pass;
  }
  log("info", "keeps-moving", { ...windowFields(window), agentId, passes: PASSES });
  return { settled: false, late, nameless: previous?.nameless ?? new Set() };
}

const sameNames = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((name) => other.has(name));

const windowFields = ({ start, end }: Window) => ({ start: start.toISOString(), end: end.toISOString() });

async function* listHalves(options: WindowOptions, size: number): AsyncGenerator<ListedInstance[], WindowResult> {
  const { agentId, window, log } = options;
  const { start, end } = window;
  const seconds = Math.floor((end.getTime() - start.getTime()) / SECOND);
  if (seconds <= 1)
    throw new Error(
      `More than ${size * LAST_PAGE} calls of agent ${agentId} began within one second at ${start.toISOString()}; the service cannot list them all. Export them by instance id.`,
    );
  const middle = new Date(start.getTime() + Math.floor(seconds / 2) * SECOND);
  log("debug", "window-split", { ...windowFields(window), agentId });
  const firstHalf = yield* listWindow({ ...options, window: { start, end: middle } });
  const secondHalf = yield* listWindow({ ...options, window: { start: middle, end } });
  return {
    settled: firstHalf.settled && secondHalf.settled,
    late: firstHalf.late + secondHalf.late,
    nameless: new Set([...firstHalf.nameless, ...secondHalf.nameless]),
  };
}

/** The result of reading all pages once. */
interface Pass {
  names: Set<string>;
  nameless: Set<string>;
  /** How many calls no earlier pass returned. */
  newCalls: number;
  /** Pages that were not empty. */
  pages: number;
  /** The page size in use after the first page. */
  size: number;
  /** A call came twice: the pages moved. */
  repeated: boolean;
  /** The last possible page is not empty: the window must be split. */
  full: boolean;
}

/**
Reads all pages once.

A short first page may be the only page, or the service may limit the page size: that is not documented. With a limit,
page 2 may begin after the returned calls or after the requested ones. So all further pages are requested with the size
of the first page, which makes both the same; an empty page is then the end.
*/
async function* readPages(options: WindowOptions, seen: Set<string>): AsyncGenerator<ListedInstance[], Pass> {
  const { paging } = options;
  const pass: Pass = {
    names: new Set(),
    nameless: new Set(),
    newCalls: 0,
    pages: 0,
    size: PAGE_SIZE,
    repeated: false,
    full: false,
  };
  for (let number = 1; number <= LAST_PAGE; number += 1) {
    const listed = await fetchPage(options, number, pass.size);
    if (listed.length === 0) return pass;
    const newCalls = addPage(pass, listed, seen);
    if (newCalls.length > 0) yield newCalls;
    if (listed.length >= PAGE_SIZE) paging.full = true;
    if (listed.length < pass.size && paging.full) return pass;
    if (number === 1) pass.size = Math.min(PAGE_SIZE, listed.length);
    if (number === CHECK_LAST_PAGE_AFTER && (await fetchPage(options, LAST_PAGE, pass.size)).length > 0) break;
  }
  return { ...pass, full: true };
}

/** Adds the calls of one page to the pass. Returns those that are new. */
const addPage = (pass: Pass, listed: readonly ListedInstance[], seen: Set<string>): ListedInstance[] => {
  const newCalls: ListedInstance[] = [];
  for (const entry of listed) {
    const name = identity(entry.instance);
    if (pass.names.has(name)) pass.repeated = true;
    else if (!seen.has(name)) newCalls.push(entry);
    pass.names.add(name);
    seen.add(name);
    if (!entry.instance.id && !entry.instance.link) pass.nameless.add(name);
  }
  pass.newCalls += newCalls.length;
  pass.pages += 1;
  return newCalls;
};

const fetchPage = async (
  { ims, agentId, window, signal }: WindowOptions,
  number: number,
  size: number,
): Promise<ListedInstance[]> => {
  const listPage = { ...window, agentId, page: number, size };
  const instances = await ims.listInstances(listPage, signal);
  return instances.map((instance) => ({ instance, listPage }));
};

/**
Finds a listed call again to get a new link: first on its page, then on the next and the previous one, then on all
others. A window that now has more calls than can be listed is searched in halves.
*/
export const findAgain = async (
  ims: Ims,
  listPage: ListPage,
  name: string,
  signal?: AbortSignal,
): Promise<Instance | undefined> => {
  const pages = [listPage.page, listPage.page + 1, listPage.page - 1];
  for (let number = 1; number <= LAST_PAGE; number += 1) if (!pages.includes(number)) pages.push(number);
  let { size = PAGE_SIZE } = listPage;
  let last = LAST_PAGE;
  for (const number of pages) {
    if (number < 1 || number > last) continue;
    const instances = await ims.listInstances({ ...listPage, page: number, size }, signal);
    const found = instances.find((instance) => identity(instance) === name);
    if (found) return found;
    // Only an empty page is certainly after the last one.
    if (instances.length === 0) last = Math.min(last, number - 1);
    else if (number === 1) size = Math.min(size, instances.length);
  }
  const { start, end } = listPage;
  const middle = new Date(Math.floor((start.getTime() + end.getTime()) / 2 / SECOND) * SECOND);
  if (last < LAST_PAGE || middle <= start) return undefined;
  const firstHalf = await findAgain(ims, { ...listPage, end: middle, page: 1 }, name, signal);
  return firstHalf ?? findAgain(ims, { ...listPage, start: middle, page: 1 }, name, signal);
};
