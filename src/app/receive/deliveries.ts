import type { InboxEntry } from "../../core/inbox.ts";
import type { Json } from "../../core/transcript.ts";
import { parseExact } from "../../parse/values-exact.ts";
import type { Headers } from "./signature.ts";

/** Why a request was refused: the reasons of this file, and those of the server that reads the requests. */
export type Reason =
  | "unsigned"
  | "token"
  | "time"
  | "certificate-host"
  | "signature"
  | "not-json"
  | "no-event"
  | "no-callback"
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

/** The records in the body of a delivery. */
export interface FoundRecords {
  entries: InboxEntry[];
  /** Events of types that are not stored. */
  other: number;
  /** A part of the body cannot be used; the rest is stored all the same. */
  broken?: Reason;
  /** Called when the records are on disk. */
  onStored?: () => void;
}

/** What one sender delivers: who may deliver it, and what is in it. */
export interface Deliveries {
  /** What can be checked before the body is read. @throws Refusal */
  checkHeaders(headers: Headers): void;
  /** @throws Refusal for a delivery that is not genuine, or of which nothing can be used */
  recordsIn(headers: Headers, body: Buffer): Promise<FoundRecords>;
}

/** @throws Refusal */
export const jsonIn = (body: Buffer): Json => {
  try {
    return parseExact(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw new Refusal("not-json", { cause: error instanceof SyntaxError ? undefined : error });
  }
};
