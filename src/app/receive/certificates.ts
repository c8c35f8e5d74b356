import { createPublicKey, type KeyObject } from "node:crypto";
import type { Dispatcher } from "undici";
import { Throttled, Unavailable } from "../../core/errors.ts";
import { collect } from "../../http/body.ts";
import { transportError, withTimeout } from "../../http/transport.ts";

/** How long a certificate is used before it is fetched again, in milliseconds. */
const FRESH_MS = 3_600_000;
/** When to try again if a certificate could not be fetched again, in milliseconds. */
const RETRY_MS = 60_000;
/** Fetches of certificates that have not proved good, at most so many in a minute: anyone can ask for them. */
const UNPROVEN_PER_MINUTE = 20;
const MOST_KEPT = 50;
const MAX_BYTES = 64 * 1024;
const TIMEOUT_MS = 5_000;

/** The public keys of certificates. */
export interface Certificates {
  /** @throws ArchiveError when it cannot be had now */
  keyOf(url: string): Promise<KeyObject>;
  /** A delivery was signed with the key of this certificate. */
  proved(url: string): void;
}

interface Kept {
  key: KeyObject;
  until: number;
  proved: boolean;
}

/** Fetches certificates, and keeps them for an hour. The caller checks where an address leads; redirects are refused. */
export const createCertificates = (dispatcher: Dispatcher, now: () => Date, closing: AbortSignal): Certificates => {
  const kept = new Map<string, Kept>();
  const running = new Map<string, Promise<KeyObject>>();
  let minute = 0;
  let unproven = 0;

  const admit = (): void => {
    const current = Math.floor(now().getTime() / 60_000);
    if (current !== minute) unproven = 0;
    minute = current;
    unproven += 1;
    if (unproven > UNPROVEN_PER_MINUTE) throw new Throttled("Too many certificates in a minute.", { code: "TooMany" });
  };

  const request = async (url: URL, signal: AbortSignal): Promise<KeyObject> => {
    const { origin, pathname, search } = url;
    const { statusCode: status, body } = await dispatcher
      .request({ origin, path: pathname + search, method: "GET", signal })
      .catch((error: unknown) => {
        throw transportError(error, url.host, "answer");
      });
    body.on("error", () => {});
    try {
      if (status !== 200) throw new Error(`HTTP ${status}`);
      const key = createPublicKey(await collect(body, MAX_BYTES, url.host));
      if (key.asymmetricKeyType !== "rsa") throw new Error("its key is not RSA");
      return key;
    } catch (error) {
      const message = `The certificate cannot be had from ${url.host}.`;
      throw new Unavailable(message, { code: "NoCertificate" }, { cause: error });
    } finally {
      body.destroy();
    }
  };

  const fetchKey = async (url: string, before: Kept | undefined): Promise<KeyObject> => {
    if (!before?.proved) admit();
    const { host } = new URL(url);
    try {
      const key = await withTimeout(TIMEOUT_MS, host, closing, (signal) => request(new URL(url), signal));
      kept.delete(url);
      kept.set(url, { key, until: now().getTime() + FRESH_MS, proved: before?.proved === true });
      if (kept.size > MOST_KEPT) kept.delete(leastUseful(kept));
      return key;
    } catch (error) {
      // A certificate that has proved good is used on while its host cannot be reached.
      if (!before?.proved) throw error;
      before.until = now().getTime() + RETRY_MS;
      return before.key;
    }
  };

  return {
    keyOf: async (url) => {
      const before = kept.get(url);
      if (before && before.until > now().getTime()) return before.key;
      const fetching = running.get(url) ?? fetchKey(url, before).finally(() => running.delete(url));
      running.set(url, fetching);
      return fetching;
    },
    proved: (url) => {
      const entry = kept.get(url);
      if (entry) entry.proved = true;
    },
  };
};

/** The oldest one that has not proved good, else the oldest. */
const leastUseful = (kept: ReadonlyMap<string, Kept>): string => {
  const entries = [...kept];
  const [url] = entries.find(([, { proved }]) => !proved) ?? entries[0] ?? [""];
  return url;
};
