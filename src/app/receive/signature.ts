import { type KeyObject, timingSafeEqual, verify } from "node:crypto";

// How EventBridge signs what it sends to an HTTP target; docs/decisions.md says where this is from.

const HEADER = "x-eventbridge-signature";
export const SIGNATURE_HEADER = `${HEADER}-v2`;
export const TOKEN_HEADER = `${HEADER}-token`;

/** The headers that are signed, in their order; the token only if it is sent. */
const SIGNED = [`${HEADER}-timestamp`, "x-eventbridge-hash-method", `${HEADER}-version`, `${HEADER}-url`] as const;

/** The hash methods that are accepted, by what the header says. */
const ALGORITHMS: Readonly<Record<string, string>> = { SHA256: "RSA-SHA256" };

/** How far the time of a signature may be from now, in milliseconds: before or after. */
const WINDOW_MS = 60_000;

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What the headers of a delivery say about its signature; nothing of it is checked. */
export interface Signature {
  /** Milliseconds since 1970. */
  at: number;
  algorithm: string;
  certificateUrl: string;
  bytes: Buffer;
  /** The signed headers as they are signed, one per line. */
  lines: string;
}

/** The signature of a delivery; undefined if a header is missing, or of a kind that is not known. */
export const signatureOf = (headers: Headers): Signature | undefined => {
  const text = (name: string): string => (typeof headers[name] === "string" ? headers[name] : "");
  const [at = "", method = "", version = "", certificateUrl = ""] = SIGNED.map(text);
  const algorithm = Object.hasOwn(ALGORITHMS, method) ? ALGORITHMS[method] : undefined;
  const bytes = Buffer.from(text(SIGNATURE_HEADER), "base64");
  if (!/^\d{1,16}$/.test(at) || algorithm === undefined || !version || !certificateUrl || bytes.length === 0)
    return undefined;
  const names = text(TOKEN_HEADER) === "" ? SIGNED : [...SIGNED, TOKEN_HEADER];
  return {
    at: Number(at),
    algorithm,
    certificateUrl,
    bytes,
    lines: names.map((name) => `${name}: ${text(name)}`).join("\n"),
  };
};

export const isRecent = ({ at }: Signature, now: Date): boolean => Math.abs(now.getTime() - at) <= WINDOW_MS;

/** @param address the address of the target as EventBridge was told it: it is signed, too */
export const isSignedBy = (key: KeyObject, signature: Signature, address: string, body: Uint8Array): boolean => {
  const { algorithm, lines, bytes } = signature;
  const text = Buffer.concat([Buffer.from(`${address}\n${lines}\n`), body]);
  // The vendor's page ends the string with the body, its older code with a line break after it.
  return [text, Buffer.concat([text, Buffer.from("\n")])].some((each) => verify(algorithm, each, key, bytes));
};

/** Compares in constant time, whatever the length of `given`. */
export const isToken = (given: string | string[] | undefined, token: string): boolean => {
  const expected = Buffer.from(token);
  const sent = Buffer.from(typeof given === "string" ? given : "");
  const padded = Buffer.alloc(expected.length);
  sent.copy(padded);
  return timingSafeEqual(padded, expected) && sent.length === expected.length;
};
