import type { Ims, Instance, ListPage, Log } from "../core/ports.ts";
import type { Window } from "../core/records.ts";

/** The service's limits: the most that one window can show is their product. */
const PAGE_SIZE = 100;
const LAST_PAGE = 100;
/** After so many pages the last one is looked at: a window that has to be split need not be read to its end first. */
const CHECK_LAST_PAGE_AFTER = 10;
/** How often a window of several pages is listed at most, until two passes agree. */
const PASSES = 5;
const SECOND = 1_000;

/** What a run has learned of the pages of one agent, whose calls are of about one size. */
export interface PagingFacts {
  /** A page as large as was asked for has come: the service does not cap them, and a short one is the last. */
  full: boolean;
}

export interface ListedInstance {
  instance: Instance;
  listPage: ListPage;
}

export interface WindowOptions {
  ims: Ims;
  agentId: string;
  /** The service's own windows may include their end; so neighbours share it and a call twice listed counts once. */
  window: Window;
  paging: PagingFacts;
  log: Log;
  signal?: AbortSignal | undefined;
}

/** One call in a list, which gives no id: the document's address, or what the runtime says while there is none. */
export const identity = ({ id, link, meta }: Instance): string =>
  id?.toLowerCase() ?? (link ? link.origin + link.pathname : JSON.stringify(meta.RuntimeConfig ?? meta));

/** What listing a window to its end told, beyond the calls. */
export interface WindowResult {
  /** False when no two passes agreed: there may be calls that none of them showed. */
  settled: boolean;
  /** Calls that only a repeated pass showed. */
  late: number;
  /** Calls with neither id nor link, as the last pass showed them. */
  nameless: ReadonlySet<string>;
}

/**
Lists every instance of a window, page by page, each once.

A window that holds more than the service can show is split in half until it can. Pages move while they are read: a new
call pushes the others back, so that some are seen twice, and one that vanishes from a page already read pulls the others
forward, so that some are never seen. One page alone is consistent; several are listed until two passes agree.

@throws Error when more calls than can be listed began within one second: never silently less than all.
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

/** What reading all pages once showed. */
interface Pass {
  names: Set<string>;
  nameless: Set<string>;
  /** Calls that no earlier pass had shown. */
  newCalls: number;
  /** Pages that were not empty. */
  pages: number;
  /** The page size at the end. */
  size: number;
  /** Something was seen twice: calls arrived meanwhile. */
  repeated: boolean;
  /** The last page that the service can show is not empty. */
  full: boolean;
}

/**
Reads all pages once.

A short first page may be all there is, or all that the service gives: that is not documented. Where a service caps pages,
the next page may begin after the calls that were given, or after those that were asked for. So the size of the first
page is the size of all that follow: then both are the same, and an empty page is the end.
*/
async function* readPages(options: WindowOptions, seen: Set<string>): AsyncGenerator<ListedInstance[], Pass> {
  const { paging: pages } = options;
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
    if (listed.length >= PAGE_SIZE) pages.full = true;
    if (listed.length < pass.size && pages.full) return pass;
    if (number === 1) pass.size = Math.min(PAGE_SIZE, listed.length);
    if (number === CHECK_LAST_PAGE_AFTER && (await fetchPage(options, LAST_PAGE, pass.size)).length > 0) break;
  }
  return { ...pass, full: true };
}

/** Notes the calls of one page. Returns those that were not seen before. */
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
Finds a listed call again, for a fresh link: on its page, then on the pages after it and before it, where moving pages
carry it. A window that has since come to hold more than can be listed is searched in halves.
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
    // As when it was listed: only an empty page is surely past the last one.
    if (instances.length === 0) last = Math.min(last, number - 1);
    else if (number === 1) size = Math.min(size, instances.length);
  }
  const { start, end } = listPage;
  const middle = new Date(Math.floor((start.getTime() + end.getTime()) / 2 / SECOND) * SECOND);
  if (last < LAST_PAGE || middle <= start) return undefined;
  const firstHalf = await findAgain(ims, { ...listPage, end: middle, page: 1 }, name, signal);
  return firstHalf ?? findAgain(ims, { ...listPage, start: middle, page: 1 }, name, signal);
};
