import { Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption } from "../options.ts";
import { shellQuoted } from "../shell.ts";

export const archive: CommandSpec<{ archive: string; holder?: string }> = {
  description: `unlock removes the lock of a run that died. This is rarely needed: the next command notices at once that a run on this
machine died, and one minute after its last renewal that a run on another machine died. Use unlock when a clock was wrong,
or when you cannot wait. Without --holder it prints which run holds the archive, and removes nothing. If that run is still
alive, it ends with an error.`,
  options: {
    Unlock: [new Option("--holder <pid@host>", "the run whose lock is removed, as `archive unlock` prints it")],
    Archive: [archiveOption()],
  },
  examples: [
    ["archive unlock", "print which run holds the archive, and the command that removes its lock"],
    ["archive unlock --holder 4711@worker-2", "remove the lock of this run: you are sure that it died"],
  ],
  run: async ({ flags, io, logger }) => {
    const { ArchiveBusy } = await import("../../app/errors.ts");
    const { holderName, unlockArchive } = await import("../../app/unlock.ts");
    const { holder, removed } = await unlockArchive(flags.archive, flags.holder, io);
    if (!holder) {
      logger.message(`No run holds the archive ${flags.archive}.`);
      return EXIT.complete;
    }
    const name = holderName(holder);
    if (!removed) {
      const other = flags.holder === undefined ? "" : `The holder is not ${flags.holder}. `;
      const command = `callarchive archive unlock --archive ${shellQuoted(flags.archive)} --holder ${shellQuoted(name)}`;
      throw new ArchiveBusy(holder, `${other}If you are sure that this run died: ${command}`);
    }
    logger.record("summary", { unlocked: name, exitCode: EXIT.complete });
    logger.message(`Removed the lock: ${name} no longer holds the archive ${flags.archive}.`);
    return EXIT.complete;
  },
};
