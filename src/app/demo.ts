import { join } from "node:path";
import type { StoredConversation } from "../core/records.ts";
import type { Transcript } from "../core/transcript.ts";
import { startEmulator } from "../emulator/index.ts";
import { writers } from "../writers/index.ts";
import type { AppContext } from "./context.ts";
import { EXPORT_DEFAULTS } from "./defaults.ts";
import { type ExportRun, runExport } from "./export/export.ts";
import { listCalls } from "./list.ts";
import type { ExportRequest } from "./requests.ts";
import { findCall, transcriptOf } from "./show.ts";

/** How many calls the emulated cloud of the demo has. */
export const DEMO_CALLS = 60;
export const DEMO_FORMATS = Object.keys(writers);

/** The results of the demo. */
export interface Demo {
  export: ExportRun;
  /** The archive that it made. */
  archive: string;
  /** One of the calls. */
  sample: Transcript;
}

/**
Exports invented calls from an emulated cloud.

@param folder for the archive and the outputs
@param onStart called with the emulated agent before its calls are exported
*/
export const runDemo = async (
  folder: string,
  context: AppContext,
  onStart: (agentId: string) => void,
): Promise<Demo> => {
  const emulator = await startEmulator({ calls: DEMO_CALLS, agents: 1, seed: 7 });
  try {
    const [agent = ""] = emulator.agents;
    onStart(agent);
    const archive = join(folder, "archive.db");
    const request: ExportRequest = {
      ...EXPORT_DEFAULTS,
      agents: [agent],
      since: "2025-07-14T00:00:00Z",
      until: "2025-07-21T00:00:00Z",
      formats: DEMO_FORMATS,
      output: `${folder}/`,
      archive,
      endpoint: emulator.url,
      keys: emulator.keys,
      client: "builtin",
      describe: "always",
      lookback: 0,
    };
    const exported = await runExport(request, context);
    const first = await firstCall(archive, context);
    const sample = transcriptOf(await findCall({ archive }, first.id, context));
    return { export: exported, archive, sample };
  } finally {
    await emulator.close();
  }
};

const firstCall = async (archive: string, context: AppContext): Promise<StoredConversation> => {
  for await (const [first] of listCalls({ archive, limit: 1 }, context)) if (first) return first;
  throw new Error("The demonstration's archive is empty.");
};
