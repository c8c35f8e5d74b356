import { join } from "node:path";
import type { Input } from "../cli/command.ts";
import type { ExportFlags } from "../cli/options.ts";
import { conversation } from "../cli/terminal/conversation.ts";
import { startEmulator } from "../emulator/index.ts";
import { callTranscript } from "../parse/call-log.ts";
import { archiveOf } from "./archive.ts";
import { runExport } from "./export/export.ts";

const CALLS = 60;

/** The main job from end to end on invented calls. */
export const runDemo = async (input: Input<{ output: string }>): Promise<void> => {
  const { io, talk, flags } = input;
  const emulator = await startEmulator({ calls: CALLS, agents: 1, seed: 7 });
  try {
    const [agent = ""] = emulator.agents;
    const archive = join(flags.output, "archive.db");
    const exported: ExportFlags = {
      agent: [agent],
      since: "2025-07-14T00:00:00Z",
      until: "2025-07-21T00:00:00Z",
      format: ["ndjson", "csv", "messages", "raw"],
      output: `${flags.output}/`,
      rows: "call",
      csvGuard: true,
      archive,
      endpoint: emulator.url,
      client: "builtin",
      describe: "always",
      maxDocumentSize: 64 * 1024 * 1024,
      concurrency: 16,
      retries: 6,
      lookback: 0,
    };
    talk.say(`An emulated cloud holds ${CALLS} calls of agent ${agent}. Exporting a week of them:`);
    talk.say(
      `$ callarchive export --agent ${agent} --since 2025-07-14 --until 2025-07-21 -f ndjson,csv,messages,raw -o ${flags.output}/\n`,
    );
    const fixed = { accessKeyId: "emulator-id", accessKeySecret: "emulator-secret" };
    await runExport({ ...input, args: [], flags: { ...flags, ...exported }, fixed });
    const stored = await archiveOf({ archive }, io, false);
    try {
      for await (const batch of stored.list({ limit: 1 })) {
        const record = await stored.find(batch[0]?.id ?? "");
        if (!record?.document) break;
        talk.say(`\n$ callarchive show ${record.id} --archive ${archive}\n`);
        io.stdout.write(conversation(callTranscript({ ...record, document: record.document })));
        break;
      }
    } finally {
      await stored.close();
    }
    talk.say(
      `\nLook into ${flags.output}/, then try it with your own account: "callarchive doctor" says what is still missing.`,
    );
  } finally {
    await emulator.close();
  }
};
