import { InvalidDocument } from "../../core/errors.ts";
import { inboxEntry } from "../../core/inbox.ts";
import type { Json } from "../../core/transcript.ts";
import { callbackArrivals, signedLinks } from "../../sources/callbacks.ts";
import { type Deliveries, type FoundRecords, jsonIn, Refusal } from "./deliveries.ts";
import { isToken } from "./signature.ts";

/** A page of callbacks, should a sender put several into one body. */
const MOST_CALLBACKS = 1_000;

/**
Deliveries of an agent's callbacks: with a token in the header `Authorization`, alone or after `Bearer`.

@param onLinks takes the signed links to audio files of stored callbacks, by the places that are stored of them; undefined
where no audio is wanted
*/
export const callbackDeliveries = (
  token: string,
  onLinks: ((links: ReadonlyMap<string, URL>) => void) | undefined,
): Deliveries => ({
  checkHeaders: ({ authorization }) => {
    const given = typeof authorization === "string" ? authorization : "";
    // Both are compared, so that the time does not tell which form was right.
    const forms = [given, given.replace(/^bearer +/i, "")].map((form) => isToken(form, token));
    if (!forms.includes(true)) throw new Refusal("token");
  },
  recordsIn: async (_, body) => {
    const value = jsonIn(body);
    const found: FoundRecords = { entries: [], other: 0 };
    const stored: Json[] = [];
    for (const each of Array.isArray(value) ? value.slice(0, MOST_CALLBACKS) : [value])
      try {
        found.entries.push(...callbackArrivals(each).arrivals.map(inboxEntry));
        stored.push(each);
      } catch (error) {
        // A RangeError: nested too deep.
        if (!(error instanceof InvalidDocument || error instanceof RangeError)) throw error;
        found.broken = "no-callback";
      }
    if (Array.isArray(value) && value.length > MOST_CALLBACKS) found.broken = "no-callback";
    if (onLinks)
      found.onStored = () => {
        for (const each of stored) onLinks(signedLinks(each));
      };
    return found;
  },
});
