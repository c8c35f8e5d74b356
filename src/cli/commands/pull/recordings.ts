import type { Input } from "../../command-spec.ts";
import { type ExitCode, exitCodeFor } from "../../exit-codes.ts";
import { defined, selectionRequest } from "../../requests.ts";
import type { PullTargetFlags } from "./flags.ts";

export const pullRecordings = async (input: Input<PullTargetFlags>): Promise<ExitCode> => {
  const { args, flags, logger } = input;
  const { runRecordingPull } = await import("../../../app/pull/recordings.ts");
  const { withContext } = await import("../../context.ts");
  const { printRecordingSummary } = await import("../../terminal/recording-summary.ts");
  const { since, until, tz } = selectionRequest(input);
  const { archive, region, profile, tps, retries, allowHost, concurrency, maxMediaSize, mediaOnly, media } = flags;
  const { bucket, prefix, call, ossRegion, ossEndpoint, liveEndpoint, vodEndpoint } = flags;
  const { wait, metricsFile, errorFile, strict, allowEmpty, allowOther } = flags;
  const given = { region, profile, tps, allowHost, bucket, prefix, call, ossRegion, ossEndpoint, liveEndpoint };
  const more = {
    vodEndpoint,
    wait,
    metricsFile,
    errorFile,
    strict,
    allowEmpty,
    allowOther,
    mediaOnly,
    since,
    until,
    tz,
  };
  const request = {
    archive,
    retries,
    concurrency,
    maxMediaSize,
    tasks: args,
    ...defined({ ...given, ...more, media }),
  };
  return withContext({ ...input, command: "pull recordings" }, flags.maxDuration, async (context) => {
    const run = await runRecordingPull(request, context);
    const code = exitCodeFor(run.outcome);
    printRecordingSummary(logger, run, code);
    return code;
  });
};
