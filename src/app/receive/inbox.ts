import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openInboxAt } from "../../archive/index.ts";
import type { Archive } from "../../core/archive.ts";
import type { Inbox } from "../../core/inbox.ts";
import type { AppContext, Host } from "../context.ts";
import { type RecordCounts, recordIntake } from "../record-intake.ts";

/** How long a run waits for the archive at least while there is an inbox, in seconds: a receiver holds it for one. */
export const RECEIVER_WAIT = 5;

/** The inbox of the archive at this path: it lies beside it. */
const inboxPath = (archive: string, { cwd }: Pick<Host, "cwd">): string => `${resolve(cwd, archive)}.inbox`;

/** Whether records were ever received for this archive. */
export const hasInbox = (archive: string | false, host: Pick<Host, "cwd">): boolean =>
  archive !== false && existsSync(inboxPath(archive, host));

/** The inbox of an archive; undefined when there is none and `create` is false. */
export const inboxOf = async (
  archive: string | false,
  host: Pick<Host, "cwd" | "now">,
  create = false,
): Promise<Inbox | undefined> =>
  create || hasInbox(archive, host) ? openInboxAt(inboxPath(String(archive), host), create, host.now) : undefined;

/** What became of the records of an inbox. */
export interface Drained extends RecordCounts {
  /** The deleted records are gone from the inbox's files, too. */
  clean: boolean;
}

/**
Moves the records of the inbox into the archive, whose lock the caller holds. A record is deleted from the inbox after the
archive has it, so a crash between the two only repeats it.

@param until ends before the inbox is empty when this returns true
*/
export const drainInbox = async (
  inbox: Inbox,
  archive: Pick<Archive, "addRecords">,
  log: AppContext["log"],
  until: () => boolean = () => false,
): Promise<Drained> => {
  const { counts, add } = recordIntake(archive, log, { select: false });
  for (let waiting = await inbox.oldest(); waiting.length > 0 && !until(); waiting = await inbox.oldest()) {
    await add(waiting.map(({ arrival }) => arrival));
    await inbox.remove(waiting.map(({ number }) => number));
    // Signals, requests and renewals get their turn.
    await nextTurn();
  }
  return { ...counts, clean: await inbox.scrub() };
};
