import type { Writer } from "../core/ports.ts";
import { jsonLine, type WriterOptions } from "./shape.ts";

export const REPORT = "messages.report.ndjson";

export interface SampleCounts {
  samples: number;
  /** Calls without a sample, by reason. */
  dropped: Map<string, number>;
  /** Samples that differ from their call's words, by change; one sample can have several. */
  changed: Map<string, number>;
}

/**
One fine-tuning sample a line, exactly `{"messages":[{"role","content"},…]}`.

The report names what readers of such files would drop or change without a word, a line per call: `{id, dropped}` with
the reason, or `{id, changes}`. Calls that fit as they are have no line in it.
*/
export const messages = ({ toSample, report = REPORT }: WriterOptions): Writer & { readonly counts: SampleCounts } => {
  if (toSample === undefined) throw new TypeError("The messages format needs toSample.");
  const counts: SampleCounts = { samples: 0, dropped: new Map(), changed: new Map() };
  return {
    counts,
    begin: () => {},
    item: (transcript, put) => {
      const note = (line: object) => {
        if (report !== null) put(jsonLine({ id: transcript.id, ...line }), { rows: 1, file: report });
      };
      const sample = toSample(transcript);
      if ("dropped" in sample) {
        count(counts.dropped, sample.dropped);
        note({ dropped: sample.dropped });
        return;
      }
      counts.samples += 1;
      const { changes } = sample;
      for (const change of changes) count(counts.changed, change);
      put(jsonLine({ messages: sample.messages.map(({ role, content }) => ({ role, content })) }), { rows: 1 });
      if (changes.length > 0) note({ changes });
    },
    end: () => {},
  };
};

const count = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};
