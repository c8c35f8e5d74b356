import { Option } from "commander";
import type { Archive } from "../../core/archive.ts";
import { UsageError } from "../../core/errors.ts";
import { oneLine } from "../../core/printable.ts";
import type { CommandSpec } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption } from "../options.ts";

/** A shorter beginning would be a guess. */
const SHORTEST = 4;
const NAMED = 5;

/** The only id that begins so; the text itself where there is none. @throws UsageError where there are several */
const whole = async (archive: Archive, beginning: string): Promise<string> => {
  if (beginning.length < SHORTEST) return beginning;
  const ids = await archive.beginningWith(beginning, NAMED + 1);
  if (ids.length > 1)
    throw new UsageError(
      `Several ids begin with ${beginning}: ${ids.slice(0, NAMED).join(", ")}${ids.length > NAMED ? ", …" : ""}. Write more of the one that you mean.`,
    );
  return ids[0] ?? beginning;
};

type ShowFlags = { archive: string; json?: boolean; raw?: boolean; meta?: boolean };

export const show: CommandSpec<ShowFlags> = {
  description: "The beginning of an id will do, from four characters on, where only one call's begins so.",
  options: {
    Output: [
      new Option("--json", "the transcript as JSON").conflicts(["raw", "meta"]),
      new Option("--raw", "the service's own document, byte for byte").conflicts(["json", "meta"]),
      new Option("--meta", "what the service said about the call, as JSON").conflicts(["json", "raw"]),
    ],
    Archive: [archiveOption()],
  },
  examples: [
    ["show ID", "the conversation, to read"],
    ["show ID --raw > log.json", "the call log as it was downloaded"],
  ],
  run: async ({ args: [id = ""], flags, io }) => {
    const { archiveOf } = await import("../wire.ts");
    const { streamOutput } = await import("../../sinks/stream.ts");
    const { callTranscript } = await import("../../parse/call-log.ts");
    const { conversation } = await import("../jobs/conversation.ts");
    const archive = await archiveOf(flags, io, false);
    try {
      const record = (await archive.find(id)) ?? (await archive.find(await whole(archive, id)));
      if (!record) throw new UsageError(`The archive does not have ${id}; "callarchive list" names what it has.`);
      const { put, flush } = streamOutput(io.stdout);
      const { document, error } = record;
      if (flags.meta) put(`${JSON.stringify(record.meta ?? {}, null, 2)}\n`);
      else if (!document)
        throw new UsageError(oneLine(`${id} is ${record.state}: there is no document. ${error?.message ?? ""}`.trim()));
      else if (flags.raw) put(document.bytes);
      else if (record.state === "invalid")
        throw new UsageError(`${id} is invalid: ${error?.message}. "callarchive show ${id} --raw" prints its bytes.`);
      else {
        const transcript = callTranscript({ ...record, document });
        put(flags.json ? `${JSON.stringify(transcript, null, 2)}\n` : conversation(transcript));
      }
      await flush();
      return EXIT.complete;
    } finally {
      await archive.close();
    }
  },
};
