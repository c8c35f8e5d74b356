/**
What the program does after an error.

- `retry`: repeats the request; after the last retry the item is `failed` and the run continues.
- `refresh`: the link has expired; gets a new link and continues.
- `skip`: this item cannot be fetched; the run continues.
- `stop`: no request can succeed; ends the run at once.
*/
export type Next = "retry" | "refresh" | "skip" | "stop";

/** The service's error, for the ledger and for people. Never holds a secret or a signed link. */
export interface ErrorFacts {
  /** The service's error code, or ours when there was no answer. */
  code: string;
  requestId?: string;
  status?: number;
  /** The wait that the service asks for, in milliseconds. */
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

/** The account is over its quota: the whole run slows down. */
export class Throttled extends ArchiveError {
  readonly next = "retry";
}
/** A temporary failure of the service or the network: 5xx, reset, timeout, name not resolved. */
export class Unavailable extends ArchiveError {
  readonly next = "retry";
}
/** A body that ended early or does not match its length or checksum. It is never stored as a document. */
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
/** The service refused this request, or its answer is unusable; other items are not affected. */
export class Refused extends ArchiveError {
  readonly next = "skip";
}
/** The document is not a valid call log; its bytes are kept. */
export class InvalidDocument extends ArchiveError {
  readonly next = "skip";
  /** `code`: `NotJson` when the body may have ended early, `NotACallLog` when it is complete but of another kind. */
  constructor(message: string, code = "InvalidDocument") {
    super(message, { code });
  }
}
/** There are no credentials, or the service does not accept them. */
export class BadCredentials extends ArchiveError {
  readonly next = "stop";
}
/** The RAM policy does not allow an action, or the service is not active. */
export class Denied extends ArchiveError {
  readonly next = "stop";
}
/** This machine's clock differs by more than the service accepts. */
export class ClockSkewed extends ArchiveError {
  readonly next = "stop";
}

/** A wrong request of the user; exit code 2. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}
/** There is no archive at the path. */
export class NoArchive extends UsageError {
  override readonly name = "NoArchive";
}

/** The message of any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A link for messages: without its query, which holds the signature. */
export const withoutQuery = ({ origin, pathname }: URL): string => origin + pathname;

/** The service was not reachable within the retries: run again later. */
export class GivenUp extends Error {
  override readonly name = "GivenUp";
}

/** The reader of a stream closed it, as `head` does. Writing ends without an error. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}
