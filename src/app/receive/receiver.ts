import type { KeyObject } from "node:crypto";
import { InvalidDocument, messageOf } from "../../core/errors.ts";
import { type Inbox, type InboxEntry, inboxEntry } from "../../core/inbox.ts";
import type { Log } from "../../core/ports.ts";
import type { Json } from "../../core/transcript.ts";
import { parseExact } from "../../parse/values-exact.ts";
import { chatEvents } from "../../sources/chat-events.ts";
import { openMetrics } from "../metrics/open-metrics.ts";
import type { Certificates } from "./certificates.ts";
import { createIntake } from "./intake.ts";
import { type Headers, isRecent, isSignedBy, isToken, type Signature, signatureOf } from "./signature.ts";

/** Why a request was refused: the reasons of this file, and those of the server that reads the requests. */
export type Reason =
  | "unsigned"
  | "token"
  | "time"
  | "certificate-host"
  | "signature"
  | "not-json"
  | "no-event"
  | "queue-full"
  | "no-certificate"
  | "storage"
  | "path"
  | "method"
  | "type"
  | "size"
  | "memory";

/** A request that is not stored. Its message is the reason, and nothing of the request. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reason: Reason;
  constructor(reason: Reason, options?: ErrorOptions) {
    super(reason, options);
    this.reason = reason;
  }
}

/** What a delivery must show. */
export interface Rules {
  /** What EventBridge posts to, as it was told: it is signed. Undefined: signatures are not checked. */
  address: (() => string) | undefined;
  token: { header: string; value: string } | undefined;
  /** Whether a certificate at this address may be trusted. */
  mayTrust: (certificateUrl: string) => boolean;
}

/** Checks deliveries and stores their events in the inbox. */
export interface Receiver {
  /** What can be checked before the body is read. @throws Refusal */
  checkHeaders(headers: Headers): void;
  /** When this resolves, every event of the delivery is on disk. @throws Refusal */
  receive(headers: Headers, body: Buffer): Promise<void>;
  /** Counts a refused request, and logs it: of each reason at most once a minute. */
  refused(refusal: Refusal): void;
  /** Whether an event would be stored now. */
  canStore(): Promise<boolean>;
  /** As OpenMetrics text. */
  metrics(): Promise<string>;
  counts(): { received: number; stored: number; repeated: number; other: number; refused: number };
}

const LOG_AGAIN_MS = 60_000;

export const createReceiver = (
  inbox: Pick<Inbox, "store" | "renew" | "standing">,
  certificates: Certificates,
  rules: Rules,
  { log, now }: { log: Log; now: () => Date },
): Receiver => {
  const intake = createIntake(inbox);
  const refusals = new Map<Reason, { count: number; loggedAt: number }>();
  let received = 0;
  let other = 0;

  const signatureIn = (headers: Headers): Signature => {
    const signature = signatureOf(headers);
    if (!signature) throw new Refusal("unsigned");
    if (!isRecent(signature, now())) throw new Refusal("time");
    if (!rules.mayTrust(signature.certificateUrl)) throw new Refusal("certificate-host");
    return signature;
  };

  const keyOf = async (certificateUrl: string): Promise<KeyObject> => {
    try {
      return await certificates.keyOf(certificateUrl);
    } catch (error) {
      throw new Refusal("no-certificate", { cause: error });
    }
  };

  const checkHeaders = (headers: Headers): void => {
    const { token } = rules;
    if (token && !isToken(headers[token.header], token.value)) throw new Refusal("token");
    if (rules.address) signatureIn(headers);
  };

  const checkSignature = async (address: string, headers: Headers, body: Buffer): Promise<void> => {
    const signature = signatureIn(headers);
    const key = await keyOf(signature.certificateUrl);
    if (!isSignedBy(key, signature, address, body)) throw new Refusal("signature");
    certificates.proved(signature.certificateUrl);
  };

  return {
    checkHeaders,
    receive: async (headers, body) => {
      checkHeaders(headers);
      if (rules.address) await checkSignature(rules.address(), headers, body);
      const found = eventsIn(body);
      if (!intake.hasRoomFor(found.entries.length)) throw new Refusal("queue-full");
      received += found.entries.length + found.other;
      other += found.other;
      if (found.entries.length > 0)
        await intake.add(found.entries).catch((error: unknown) => {
          throw new Refusal("storage", { cause: error });
        });
      // The events beside it are stored all the same.
      if (found.broken) throw new Refusal("no-event");
    },
    refused: ({ reason, cause }) => {
      const before = refusals.get(reason) ?? { count: 0, loggedAt: Number.NEGATIVE_INFINITY };
      const at = now().getTime();
      const isDue = at - before.loggedAt >= LOG_AGAIN_MS;
      refusals.set(reason, { count: before.count + 1, loggedAt: isDue ? at : before.loggedAt });
      if (!isDue) return;
      const message = cause === undefined ? {} : { message: messageOf(cause) };
      log("warn", "refused", { reason, count: before.count + 1, ...message });
    },
    canStore: intake.canStore,
    counts: () => ({
      received,
      ...intake.counts,
      other,
      refused: [...refusals.values()].reduce((sum, { count }) => sum + count, 0),
    }),
    metrics: async () => {
      const { gauge, counter, text } = openMetrics("callarchive_receive", {});
      const { records, oldest, bytes } = await inbox.standing();
      const age = oldest === undefined ? 0 : Math.max(0, now().getTime() - oldest.getTime()) / 1000;
      counter("events", "Events in deliveries that were accepted for storing.", [[{}, received]]);
      counter("stored", "Events that were stored in the inbox.", [[{}, intake.counts.stored]]);
      counter("repeated", "Events that the inbox had already.", [[{}, intake.counts.repeated]]);
      counter("other", "Events of other types, which are not stored.", [[{}, other]]);
      counter(
        "refused",
        "Requests that were refused, by reason.",
        [...refusals].map(([reason, { count }]) => [{ reason }, count]),
      );
      gauge("queue", "Events that wait for their commit.", [[{}, intake.waiting]]);
      gauge("inbox_records", "Records that wait for the archive.", [[{}, records]]);
      gauge("inbox_bytes", "Size of the inbox's file.", [[{}, bytes]]);
      gauge("inbox_oldest_age_seconds", "Age of the oldest record that waits for the archive.", [[{}, age]]);
      return text();
    },
  };
};

/** The chat logs of a body: a CloudEvent, or an array of them. One that is broken does not stop the others. @throws Refusal */
const eventsIn = (body: Buffer): { entries: InboxEntry[]; other: number; broken: boolean } => {
  const value = parsed(body);
  const found = { entries: [] as InboxEntry[], other: 0, broken: false };
  for (const each of Array.isArray(value) ? value : [value])
    try {
      const { arrivals, other } = chatEvents(each);
      found.entries.push(...arrivals.map(inboxEntry));
      found.other += other;
    } catch (error) {
      // A RangeError: nested too deep.
      if (!(error instanceof InvalidDocument || error instanceof RangeError)) throw error;
      found.broken = true;
    }
  return found;
};

const parsed = (body: Buffer): Json => {
  try {
    return parseExact(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw new Refusal("not-json", { cause: error instanceof SyntaxError ? undefined : error });
  }
};
