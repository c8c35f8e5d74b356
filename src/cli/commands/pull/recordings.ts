import type { Input } from "../../command-spec.ts";
import { type ExitCode, exitCodeFor } from "../../exit-codes.ts";
import { defined, storedSelectionRequest } from "../../requests.ts";
import type { PullTargetFlags } from "./flags.ts";

export const pullRecordings = async (input: Input<PullTargetFlags>): Promise<ExitCode> => {
  const { args, flags, given: set, logger } = input;
  const { runRecordingPull } = await import("../../../app/pull/recordings.ts");
  const { withContext } = await import("../../context.ts");
  const { printRecordingSummary } = await import("../../terminal/recording-summary.ts");
  const { since, until, tz } = storedSelectionRequest(input);
  const { archive, region, profile, tps, retries, allowHost, concurrency, maxMediaSize, media } = flags;
  // What the command line says counts alone: a bucket of the config file is where tasks and --media-only find their files.
  const looks = args.length > 0 || set.has("bucket");
  const mediaOnly = looks && !set.has("mediaOnly") ? undefined : flags.mediaOnly;
  const bucket = mediaOnly && !set.has("bucket") ? undefined : flags.bucket;
  const prefix = (mediaOnly || args.length > 0) && !set.has("prefix") ? undefined : flags.prefix;
  const call = args.length === 0 && !set.has("call") ? undefined : flags.call;
  const { ossRegion, ossEndpoint, liveEndpoint, vodEndpoint } = flags;
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
