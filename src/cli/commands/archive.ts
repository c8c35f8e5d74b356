import { Option } from "commander";
import type { CommandSpec } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption } from "../options.ts";

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
  run: async ({ flags, io, talk }) => {
    const { archiveOf } = await import("../../app/archive.ts");
    const { ArchiveBusy } = await import("../exit-codes.ts");
    const opened = await archiveOf(flags, io, false);
    try {
      const holder = await opened.holder();
      if (!holder) {
        talk.say(`Nobody holds the archive ${flags.archive}.`);
        return EXIT.complete;
      }
      const name = `${holder.pid}@${holder.host}`;
      if (flags.holder !== name || !(await opened.unlock(holder)))
        throw new ArchiveBusy(
          holder,
          `${flags.holder === undefined ? "" : `That is not ${flags.holder}. `}If it is certain that this run is gone: callarchive archive unlock --archive ${quoted(flags.archive)} --holder ${quoted(name)}`,
        );
      talk.record("summary", { unlocked: name, exitCode: EXIT.complete });
      talk.say(`The archive ${flags.archive} is free: ${name} holds it no more.`);
      return EXIT.complete;
    } finally {
      await opened.close();
    }
  },
};

/** As a shell reads it back. */
const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
