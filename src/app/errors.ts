import type { Holder } from "../core/lock.ts";

const ADVICE = `Use --wait 10m to wait for it. If you are sure that it died, see "callarchive archive unlock".`;

/** Another run holds the archive. */
export class ArchiveBusy extends Error {
  override readonly name = "ArchiveBusy";
  constructor({ pid, host, startedAt, expiresAt }: Holder, advice = ADVICE, what = "Another run holds the archive") {
    super(
      `${what}: process ${pid} on ${host}, started ${startedAt} (its lock expires at ${expiresAt} unless it is renewed). ${advice}`,
    );
  }
}
