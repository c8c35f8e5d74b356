import { type Archive, isTroubled, type StoredRecord, TROUBLE } from "../../core/archive.ts";
import { UsageError } from "../../core/errors.ts";
import type { Input } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { AckFlags } from "../options.ts";
import { plural } from "../render.ts";
import { idsOf } from "../selection.ts";
import { troubleLine } from "./error-file.ts";
import { withSession } from "./session.ts";

/** Acknowledges trouble, or takes that back. */
export const runAck = async (input: Input<AckFlags>): Promise<ExitCode> => {
  const { args, flags, given, io, talk } = input;
  // From the environment or the config file these would acknowledge what nobody has looked at.
  const many = [given.has("all") && "--all", given.has("state") && "--state"].filter((name) => name !== false);
  const names = args.length > 0 || flags.ids !== undefined;
  if (names && many.length > 0) throw new UsageError(`Name calls, or use ${many.join(" ")}: not both.`);
  if (!names && many.length === 0)
    throw new UsageError("Nothing is selected. Name calls, give a file of them with --ids, or use --state or --all.");
  const writes = flags.dryRun !== true;
  const undo = given.has("undo");
  const facts = {
    ...(args.length > 0 && { ids: [...args] }),
    ...(flags.ids !== undefined && { idsFrom: flags.ids }),
    ...(given.has("all") && { all: true }),
    ...(given.has("state") && { state: flags.state ?? "" }),
    ...(undo && { undo }),
  };
  return withSession(input, { facts, writes, create: false }, async ({ archive }) => {
    let refused = 0;
    let unchanged = 0;
    const items = new Set<number>();
    const take = (record: StoredRecord): void => {
      if (items.has(record.item)) return;
      if ((record.acknowledged === true) !== undo) {
        unchanged += 1;
        return;
      }
      items.add(record.item);
      if (!writes) io.stdout.write(troubleLine(record));
    };
    if (names) {
      const bad = (message: string): void => {
        refused += 1;
        talk.log("warn", "bad-id", { message });
      };
      for await (const id of idsOf(input)(bad)) {
        const record = await archive.find(id);
        const reason = objection(record);
        if (record && reason === undefined) take(record);
        else {
          refused += 1;
          talk.log("warn", "not-acknowledged", { id, message: reason ?? "" });
        }
      }
    } else {
      const states = given.has("state") && flags.state ? [flags.state] : TROUBLE;
      for await (const batch of archive.list({ states })) for (const record of batch) take(record);
    }
    if (writes) await settle(archive, [...items], undo);
    const code = refused > 0 ? EXIT.partial : EXIT.complete;
    const figure = undo ? "takenBack" : "acknowledged";
    talk.record("summary", { [figure]: items.size, refused, dryRun: !writes, exitCode: code });
    const verb = undo ? "no longer acknowledged" : "acknowledged";
    const before =
      names && unchanged > 0
        ? `; ${plural(unchanged, "call")} ${undo ? "not acknowledged" : "acknowledged"} before`
        : "";
    talk.say(`${plural(items.size, "call")} ${writes ? verb : `would be ${verb}`}${before}.`);
    return { code, detail: { ...facts, [figure]: items.size, refused } };
  });
};

const settle = (archive: Archive, items: readonly number[], undo: boolean): Promise<void> =>
  undo ? archive.takeBack(items) : archive.acknowledge(items);

/** Why there is nothing to acknowledge. */
const objection = (record: StoredRecord | undefined): string | undefined => {
  if (!record) return "The archive does not have it.";
  if (isTroubled(record.state)) return undefined;
  return `It is ${record.state}; only what is ${TROUBLE.slice(0, -1).join(", ")} or ${TROUBLE.at(-1)} can be acknowledged.`;
};
