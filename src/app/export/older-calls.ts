import type { Archive } from "../../core/archive.ts";
import type { AppContext } from "../context.ts";
import type { ExportRequest } from "../requests.ts";
import type { Selection } from "../selection/selection.ts";
import type { Target } from "./outputs.ts";

/**
Warns when `--new --since last` begins a destination of an archive that has older calls of these agents.

Such a run lists only the lookback before the cursor, so that older calls would never be written there.
*/
export const warnOfOlderCalls = async (
  request: ExportRequest,
  { log }: AppContext,
  archive: Pick<Archive, "lastPart" | "list">,
  target: Target,
  selection: Selection | undefined,
): Promise<void> => {
  if (!request.new || target.kind === "stream" || selection?.by !== "range" || !selection.last) return;
  const parts = await Promise.all(target.formats.map((format) => archive.lastPart(target.path, format)));
  if (parts.every((part) => part !== undefined)) return;
  const older = { sources: ["calls"], states: ["fetched"], limit: 1 } as const;
  for (const { agentId, since } of selection.stretches)
    for await (const batch of archive.list({ ...older, agents: [agentId], until: since }))
      if (batch.length > 0) {
        const command = request.fillCommand ?? "an export with `offline` and `new`";
        log("warn", "older-calls", { place: request.output, since: since.toISOString(), command });
        return;
      }
};
