import type { KeyObject } from "node:crypto";
import { InvalidDocument } from "../../core/errors.ts";
import { inboxEntry } from "../../core/inbox.ts";
import { chatEvents } from "../../sources/chat-events.ts";
import type { Certificates } from "./certificates.ts";
import { type Deliveries, type FoundRecords, jsonIn, Refusal } from "./deliveries.ts";
import { type Headers, isRecent, isSignedBy, isToken, type Signature, signatureOf } from "./signature.ts";

/** What a delivery must show. */
export interface Rules {
  /** What EventBridge posts to, as it was told: it is signed. Undefined: signatures are not checked. */
  address: (() => string) | undefined;
  token: { header: string; value: string } | undefined;
  /** Whether a certificate at this address may be trusted. */
  mayTrust: (certificateUrl: string) => boolean;
}

/** Deliveries of an HTTP target of EventBridge: signed, with chat logs. */
export const eventDeliveries = (certificates: Certificates, rules: Rules, now: () => Date): Deliveries => {
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
    recordsIn: async (headers, body) => {
      if (rules.address) await checkSignature(rules.address(), headers, body);
      return eventsIn(body);
    },
  };
};

/** The chat logs of a body: a CloudEvent, or an array of them. One that is broken does not stop the others. @throws Refusal */
const eventsIn = (body: Buffer): FoundRecords => {
  const value = jsonIn(body);
  const found: FoundRecords = { entries: [], other: 0 };
  for (const each of Array.isArray(value) ? value : [value])
    try {
      const { arrivals, other } = chatEvents(each);
      found.entries.push(...arrivals.map(inboxEntry));
      found.other += other;
    } catch (error) {
      // A RangeError: nested too deep.
      if (!(error instanceof InvalidDocument || error instanceof RangeError)) throw error;
      found.broken = "no-event";
    }
  return found;
};
