import { hash } from "node:crypto";

const PREFIX = "link-";
const FORM = /^link-[0-9a-f]{32}$/i;

/** The first half of an address's SHA-256: what a link is known by. */
export const digestOf = (link: string): Buffer => hash("sha256", link, "buffer").subarray(0, 16);

/** The stand-in id of a call that has no instance id yet, or never: stable, because the link's address is. */
export const standInOf = (link: string): string => standIn(digestOf(link));

export const standIn = (digest: Buffer): string => PREFIX + digest.toString("hex");

/** Whether an id is not the service's, but one that an archive gave. */
export const isStandIn = (id: string): boolean => FORM.test(id);

/** The digest of the link that an id stands in for. */
export const linkDigestOf = (id: string): Buffer | undefined =>
  isStandIn(id) ? Buffer.from(id.slice(PREFIX.length), "hex") : undefined;
