import type { CommandSpec } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption, dryRunOption, type RetentionFlags, runOptions } from "../options.ts";

export const forget: CommandSpec<RetentionFlags & { dryRun?: boolean }> = {
  description: `For requests for erasure. Deletes at once and leaves no trace in the file but the id, so that the call is not fetched
again. Outputs are not touched: those that were written with this archive are named, one per line.`,
  options: { Control: [dryRunOption()], Archive: [archiveOption(), ...runOptions()] },
  examples: [
    ["forget ID -n", "what would be deleted, and the files that hold it"],
    ["forget ID", "one call; what it prints are the files to clean"],
  ],
  run: async (input) => {
    const { args, flags, io, talk } = input;
    const { scrub } = await import("../../app/scrub.ts");
    const { withSession } = await import("../../app/session.ts");
    const { oneLine } = await import("../../core/printable.ts");
    const { plural } = await import("../../core/wording.ts");
    const facts = { ids: [...args] };
    const writes = flags.dryRun !== true;
    return withSession(input, { facts, writes, create: false, scrubs: true }, async ({ archive }) => {
      let forgotten = 0;
      let unknown = 0;
      for (const id of args) {
        const known = await archive.find(id);
        if (known) {
          const { state, startedAt, document } = known;
          if (state !== "pruned") forgotten += writes ? await archive.prune({ id }) : 1;
          if (!writes) {
            const bytes = document?.bytes.length ?? 0;
            talk.log("info", "would-forget", { id: known.id, state, ...(startedAt && { startedAt }), bytes });
          }
          for (const { place, format } of await archive.holding(id))
            io.stdout.write(`${[id, format, place].map(oneLine).join("\t")}\n`);
        } else {
          unknown += 1;
          talk.log("warn", "missing", { id, message: "The archive does not have it." });
        }
      }
      const scrubbed = writes ? await scrub(archive, flags.archive, talk) : EXIT.complete;
      const code = scrubbed !== EXIT.complete ? scrubbed : unknown > 0 ? EXIT.partial : EXIT.complete;
      talk.record("summary", { forgotten, unknown, dryRun: !writes, exitCode: code });
      talk.say(`${plural(forgotten, "call")} ${writes ? "forgotten" : "would be forgotten"}.`);
      return { code, detail: { ...facts, forgotten, unknown } };
    });
  },
};
