import { Option } from "commander";
import type { CommandSpec } from "../command-spec.ts";
import { readingContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption } from "../options.ts";

type ShowFlags = { archive: string; json?: boolean; raw?: boolean; meta?: boolean };

export const show: CommandSpec<ShowFlags> = {
  description: "The first characters of the id are enough, at least four, if only one call's id begins with them.",
  options: {
    Output: [
      new Option("--json", "the transcript as JSON").conflicts(["raw", "meta"]),
      new Option("--raw", "the document of the service, byte for byte").conflicts(["json", "meta"]),
      new Option("--meta", "the details of the call from the service, as JSON").conflicts(["json", "raw"]),
    ],
    Archive: [archiveOption()],
  },
  examples: [
    ["show ID", "the conversation as text"],
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
    const record = await findCall(flags, id, readingContext(input));
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
