import type { Holder } from "../core/lock.ts";

const ADVICE = `--wait 10m waits for it; if it is certain that it is gone, see "callarchive archive unlock".`;

/** Another run holds the archive. */
export class ArchiveBusy extends Error {
  override readonly name = "ArchiveBusy";
  constructor({ pid, host, startedAt, expiresAt }: Holder, advice = ADVICE) {
    super(
      `Another run holds the archive: process ${pid} on ${host}, since ${startedAt} (its lock ends at ${expiresAt} if nothing is heard of it). ${advice}`,
    );
  }
}
