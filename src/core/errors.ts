/**
What happens after an error.

- `retry`: the same request may succeed later; beyond the retries the item is `failed`, the run goes on.
- `refresh`: the link is dead; ask for a fresh one, then go on as before.
- `skip`: this item cannot be had; the run goes on.
- `stop`: no request can succeed; the run ends at once.
*/
export type Next = "retry" | "refresh" | "skip" | "stop";

/** What the service said, for the ledger and the reader. Never holds a secret or a signed link. */
export interface ErrorFacts {
  /** The service's error code, or ours where there was no answer. */
  code: string;
  requestId?: string;
  status?: number;
  /** How long the service asks us to wait, in milliseconds. */
  retryAfterMs?: number;
}

export abstract class ArchiveError extends Error {
  abstract readonly next: Next;
  readonly facts: ErrorFacts;
  constructor(message: string, facts: ErrorFacts, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.facts = facts;
  }
}

/** Over the account's quota: the whole run slows down. */
export class Throttled extends ArchiveError {
  readonly next = "retry";
}
/** The service or the network failed in passing: 5xx, reset, timeout, name not resolved. */
export class Unavailable extends ArchiveError {
  readonly next = "retry";
}
/** A body ended early or does not match its length or checksum: never taken for a document. */
export class CutShort extends ArchiveError {
  readonly next = "retry";
}
/** The signed link is no longer valid. */
export class LinkExpired extends ArchiveError {
  readonly next = "refresh";
}
/** No such call, or no such document. */
export class NotFound extends ArchiveError {
  readonly next = "skip";
}
/** The request or the answer is wrong for this one item. */
export class Refused extends ArchiveError {
  readonly next = "skip";
}
/** The document is not what it should be; its bytes are kept. */
export class InvalidDocument extends ArchiveError {
  readonly next = "skip";
  /** `code` is `NotJson` where the body may merely have ended early, `NotACallLog` where it is whole but something else. */
  constructor(message: string, code = "InvalidDocument") {
    super(message, { code });
  }
}
/** No credentials, or the service does not know them. */
export class BadCredentials extends ArchiveError {
  readonly next = "stop";
}
/** The RAM policy lacks an action. */
export class Denied extends ArchiveError {
  readonly next = "stop";
}
/** The clock is off by more than the service accepts. */
export class ClockSkewed extends ArchiveError {
  readonly next = "stop";
}

/** The user asked for something that cannot be; exit 2. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}
/** There is no archive where one was looked for. */
export class NoArchive extends UsageError {
  override readonly name = "NoArchive";
}

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A link as people may see it: the place, never the signature. */
export const withoutQuery = ({ origin, pathname }: URL): string => origin + pathname;

/** The service stayed out of reach beyond the retries: run again later. */
export class GivenUp extends Error {
  override readonly name = "GivenUp";
}

/** The reader of a stream went away, as `head` does when it has seen enough: nothing more is wanted. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}
