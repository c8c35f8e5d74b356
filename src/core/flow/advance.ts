import { Refused } from "../errors.ts";

/** So many pages in a row without anything new end a listing: the service does not advance. */
const MOST_IDLE_PAGES = 100;

/**
Watches the pages of a listing, which would otherwise be read for ever. Called with each page that has a next one.

@param what the listing's name, for the message
@returns a function that takes the place of the next page, and whether this page had anything new. It throws Refused when a
place is missing or comes again, or when nothing is new for too long
*/
export const advanceOf = (what: string): ((next: string | undefined, hasNew: boolean) => void) => {
  const places = new Set<string>();
  let idle = 0;
  return (next, hasNew) => {
    idle = hasNew ? 0 : idle + 1;
    if (next === undefined || places.has(next) || idle >= MOST_IDLE_PAGES)
      throw new Refused(
        `The pages of ${what} do not advance: they repeat, or bring nothing new. What was read before is kept; run again later.`,
        { code: "PageRepeats" },
      );
    places.add(next);
  };
};
