import type { CommandSpec } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption, type RetentionFlags, runOptions } from "../options.ts";

export const forget: CommandSpec<RetentionFlags> = {
  description: `For requests for erasure. Deletes at once and leaves no trace in the file but the id, so that the call is not fetched
again. Outputs are not touched: those that were written with this archive are named, one per line.`,
  options: { Archive: [archiveOption(), ...runOptions()] },
  examples: [["forget ID", "one call; what it prints are the files to clean"]],
  run: async (input) => {
    const { args, io, talk } = input;
    const { scrub } = await import("../jobs/scrubbing.ts");
    const { withSession } = await import("../jobs/session.ts");
    const { plural } = await import("../render.ts");
    const facts = { ids: [...args] };
    return withSession(input, { facts, writes: true, create: false, scrubs: true }, async ({ archive }) => {
      let forgotten = 0;
      let unknown = 0;
      for (const id of args) {
        const known = await archive.find(id);
        if (known) {
          if (known.state !== "pruned") forgotten += await archive.prune({ id });
          for (const { place, format } of await archive.holding(id)) io.stdout.write(`${id}\t${format}\t${place}\n`);
        } else {
          unknown += 1;
          talk.log("warn", "missing", { id, message: "The archive does not have it." });
        }
      }
      const scrubbed = await scrub(archive, input.flags.archive, talk);
      const code = scrubbed !== EXIT.complete ? scrubbed : unknown > 0 ? EXIT.partial : EXIT.complete;
      talk.record("summary", { forgotten, unknown, exitCode: code });
      talk.say(`${plural(forgotten, "call")} forgotten.`);
      return { code, detail: { ...facts, forgotten, unknown } };
    });
  },
};
