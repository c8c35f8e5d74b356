import type { Ledger, Reader } from "../../core/archive.ts";
import { sumOf } from "../../core/counts.ts";
import type { Cloud } from "../cloud.ts";
import type { AppContext } from "../context.ts";
import { fetchSelection, type PullResult } from "../pull/fetch.ts";
import { reportStopped } from "../pull/stopped.ts";
import type { ExportRequest } from "../requests.ts";
import { type Selection, selectStored } from "../selection/selection.ts";
import type { Session } from "../session.ts";

/** Selects what is exported, and fetches what the archive lacks. @param selection absent with `offline` */
export const gather = async (
  request: ExportRequest,
  context: AppContext,
  cloud: () => Promise<Cloud>,
  session: Session,
  selection: Selection | undefined,
): Promise<PullResult> => {
  if (!selection) return selectOffline(request, context, session.archive);
  try {
    return await fetchSelection(request, context, cloud, session, selection);
  } catch (error) {
    await reportStopped(request, context, session.archive, selection);
    throw error;
  }
};

const selectOffline = async (
  request: ExportRequest,
  context: AppContext,
  archive: Ledger & Reader,
): Promise<PullResult> => {
  const { absent, unreadable } = await selectStored(archive, request, context);
  const known = sumOf(await archive.counts());
  const none = {
    settled: 0,
    troubled: 0,
    notRefreshed: 0,
    bytes: 0,
    running: 0,
    unlisted: 0,
    throttled: 0,
    listedLate: 0,
    silentAgents: 0,
  };
  const limited = known === request.limit;
  return { ...none, selected: known, known, limited, complete: true, absent: absent.length, unreadable };
};
