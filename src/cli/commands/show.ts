import { Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { readingContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption, type SourceFlags, sourceOption } from "../options.ts";

type ShowFlags = SourceFlags & { archive: string; json?: boolean; raw?: boolean; meta?: boolean };

export const show: CommandSpec<ShowFlags> = {
  description:
    "The first characters of the id are enough, at least four, if only one conversation's id begins with them.",
  options: {
    Output: [
      new Option("--json", "the transcript as JSON").conflicts(["raw", "meta"]),
      new Option("--raw", "the document of the service, byte for byte").conflicts(["json", "meta"]),
      new Option("--meta", "the details of the call from the service, as JSON").conflicts(["json", "raw"]),
    ],
    Archive: [archiveOption(), sourceOption()],
  },
  examples: [
    ["show ID", "the conversation as text"],
    ["show chats:ID", "the chat session, if a call has the same id"],
    ["show ID --raw > log.json", "the call log as it was downloaded"],
  ],
  run: async (input) => {
    const {
      args: [id = ""],
      flags,
      io,
    } = input;
    const { documentOf, findCall, transcriptOf } = await import("../../app/show.ts");
    const { conversation } = await import("../terminal/conversation.ts");
    const { printer } = await import("../terminal/stdout.ts");
    const { archive, source } = flags;
    const record = await findCall({ archive, ...(source && { sources: source }) }, id, readingContext(input));
    const { print, flush } = printer(io.stdout);
    if (flags.meta) print(`${JSON.stringify(record.meta ?? {}, null, 2)}\n`);
    else if (flags.raw) print(documentOf(record).bytes);
    else {
      const transcript = transcriptOf(record);
      print(flags.json ? `${JSON.stringify(transcript, null, 2)}\n` : conversation(transcript));
    }
    await flush();
    return EXIT.complete;
  },
};
