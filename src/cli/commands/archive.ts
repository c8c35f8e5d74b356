import { Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption } from "../options.ts";
import { shellQuoted } from "../shell.ts";

export const archive: CommandSpec<{ archive: string; holder?: string }> = {
  description: `unlock takes the archive from a run that is gone. A run that died on this machine is seen at once, and one on another
machine a minute after it was last heard of: it is for a clock that was wrong, and for those who cannot wait. Without
--holder it says who holds the archive, and removes nothing. If that run is still alive, it ends with an error.`,
  options: {
    Unlock: [new Option("--holder <pid@host>", "the run to take the archive from, as it is shown")],
    Archive: [archiveOption()],
  },
  examples: [
    ["archive unlock", "who holds it, and the command that takes it from them"],
    ["archive unlock --holder 4711@worker-2", "that run is gone for certain"],
  ],
  run: async ({ flags, io, logger }) => {
    const { ArchiveBusy } = await import("../../app/errors.ts");
    const { holderName, unlockArchive } = await import("../../app/unlock.ts");
    const { holder, removed } = await unlockArchive(flags, flags.holder, io);
    if (!holder) {
      logger.message(`Nobody holds the archive ${flags.archive}.`);
      return EXIT.complete;
    }
    const name = holderName(holder);
    if (!removed) {
      const other = flags.holder === undefined ? "" : `That is not ${flags.holder}. `;
      const command = `callarchive archive unlock --archive ${shellQuoted(flags.archive)} --holder ${shellQuoted(name)}`;
      throw new ArchiveBusy(holder, `${other}If it is certain that this run is gone: ${command}`);
    }
    logger.record("summary", { unlocked: name, exitCode: EXIT.complete });
    logger.message(`The archive ${flags.archive} is free: ${name} holds it no more.`);
    return EXIT.complete;
  },
};
