import { hash } from "node:crypto";

const PREFIX = "link-";
const FORM = /^link-[0-9a-f]{32}$/i;

/** The first half of an address's SHA-256: the key of a link. */
export const digestOf = (link: string): Buffer => hash("sha256", link, "buffer").subarray(0, 16);

/** The stand-in id of a call without an instance id. It is stable, because the link's address is. */
export const standInOf = (link: string): string => standIn(digestOf(link));

/** The stand-in id of a link's digest. */
export const standIn = (digest: Buffer): string => PREFIX + digest.toString("hex");

/** Whether an id was made by an archive and not by the service. */
export const isStandIn = (id: string): boolean => FORM.test(id);

/** The digest of the link in a stand-in id; undefined for other ids. */
export const linkDigestOf = (id: string): Buffer | undefined =>
  isStandIn(id) ? Buffer.from(id.slice(PREFIX.length), "hex") : undefined;
