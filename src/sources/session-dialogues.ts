import { Refused } from "../core/errors.ts";
import type { Ims } from "../core/ports.ts";
import { isObject, type Json } from "../core/transcript.ts";
import { numeric } from "../parse/values.ts";

/** A session's dialogues of this many pages are read on from the time of the last one, as lists of calls end there. */
const MOST_PAGES = 100;
/** The most dialogues of one page, as documented. */
const PAGE = 100;

export interface SessionDialogues {
  ims: Pick<Ims, "listDialogues">;
  sessionId: string;
  /** Inclusive. */
  start: Date;
  end: Date;
  signal?: AbortSignal;
}

/**
The dialogues of a session, from old to new, page by page. One may come twice.

The service has no mark for the end of a list. A page shorter than the documented limit ends it, unless it looks like the page
of a service with a lower limit: then all further pages are requested with its size, and an empty page is the end.

@throws Refused when the pages do not advance, and the service's errors
*/
export async function* dialoguePages({ ims, sessionId, start, end, signal }: SessionDialogues): AsyncGenerator<Json[]> {
  for (let from = start; ; ) {
    let before = "";
    let last = from;
    let size = PAGE;
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const dialogues = await ims.listDialogues({ sessionId, start: from, end, page, size }, signal);
      if (dialogues.length > 0) yield dialogues;
      if (page === 1 && mayBeLimited(dialogues.length)) size = Math.min(PAGE, dialogues.length);
      if (dialogues.length < size) return;
      const text = JSON.stringify(dialogues);
      if (text === before) throw doesNotAdvance(sessionId);
      before = text;
      last = timeOf(dialogues.at(-1)) ?? last;
    }
    if (last <= from) throw doesNotAdvance(sessionId);
    from = last;
  }
}

/** Limits of pages are round. To check every short list would double the requests. */
const mayBeLimited = (length: number): boolean => length > 0 && length % 10 === 0;

const timeOf = (dialogue: Json | undefined): Date | undefined => {
  const at = isObject(dialogue) ? numeric(dialogue.Time) : undefined;
  return at === undefined || Number.isNaN(new Date(at).getTime()) ? undefined : new Date(at);
};

const doesNotAdvance = (sessionId: string): Refused =>
  new Refused(
    `The pages of the dialogues of session ${sessionId} do not advance. What was read before is kept; run again later.`,
    { code: "PageRepeats" },
  );
