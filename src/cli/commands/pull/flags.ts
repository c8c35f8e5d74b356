import type { PullCommandFlags } from "../../options.ts";
import type { EventBridgeFlags, RecordingFlags, SessionFlags } from "../../record-options.ts";

// What the forms of `pull` have in common.

export type PullTargetFlags = PullCommandFlags & EventBridgeFlags & SessionFlags & RecordingFlags;

export const recordFlags = (flags: PullTargetFlags) => {
  const { archive, wait, metricsFile, refresh, lookback, errorFile, allowOther, strict, allowEmpty } = flags;
  return {
    archive,
    lookback,
    ...(wait !== undefined && { wait }),
    ...(metricsFile !== undefined && { metricsFile }),
    ...(refresh && { refresh }),
    ...(errorFile !== undefined && { errorFile }),
    ...(allowOther && { allowOther }),
    ...(strict && { strict }),
    ...(allowEmpty && { allowEmpty }),
  };
};

export const eventBridgeRequest = ({ profile, tps, retries, eventbridgeEndpoint: endpoint }: PullTargetFlags) => ({
  retries,
  ...(profile !== undefined && { profile }),
  ...(tps !== undefined && { tps }),
  ...(endpoint !== undefined && { endpoint }),
});
