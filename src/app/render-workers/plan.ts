import type { Writer } from "../../core/ports.ts";
import type { Filter, RenderOptions } from "../../core/render-batch.ts";
import { voiceSample } from "../../transforms/curate/voice.ts";
import { type WriterName, type WriterOptions, writers } from "../../writers/index.ts";
import type { Host } from "../context.ts";
import { digestOf, readerOf } from "../reading.ts";
import type { RedactRequest } from "../requests.ts";

export interface PlannedOutput {
  format: WriterName;
  options: Omit<WriterOptions, "toSample">;
}

export const writerOf = ({ format, options }: PlannedOutput): Writer =>
  writers[format].create({ ...options, toSample: (transcript) => voiceSample(transcript) });

/** What is to be done with records, as plain data: another thread can be told of it. */
export interface RenderPlan {
  outputs: readonly PlannedOutput[];
  filter: Filter;
  redact: Pick<RedactRequest, "redact" | "redactPattern" | "redactCommand" | "redactTimeout">;
}

/**
@param host only where the plan's command runs: not in threads

@throws UsageError for kinds that cannot be redacted
*/
export const renderingOf = async (
  { outputs, filter, redact }: RenderPlan,
  host?: Pick<Host, "env" | "cwd">,
): Promise<RenderOptions & { close(): Promise<void> }> => ({
  ...(await readerOf(redact, host)),
  digestOf,
  filter,
  writers: outputs.map(writerOf),
});
