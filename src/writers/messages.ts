import type { Writer } from "../core/ports.ts";
import { jsonLine, type WriterOptions, type WriterShape } from "./shape.ts";

const REPORT = "messages.report.ndjson";

/**
One fine-tuning sample per line, exactly `{"messages":[{"role","content"},…]}`.

The report lists the calls that were dropped or changed, one per line: `{id, dropped}` with the reason, or `{id, changes}`.
Unchanged calls are not in it.
*/
const create = ({ toSample, report = REPORT }: WriterOptions): Writer => {
  if (toSample === undefined) throw new TypeError("The messages format needs toSample.");
  return {
    begin: () => {},
    item: (transcript, put) => {
      const note = (line: object) => {
        if (report !== null) put(jsonLine({ id: transcript.id, ...line }), { rows: 1, file: report });
      };
      const sample = toSample(transcript);
      if ("dropped" in sample) {
        note({ dropped: sample.dropped });
        return { dropped: sample.dropped };
      }
      const { changes } = sample;
      put(jsonLine({ messages: sample.messages.map(({ role, content }) => ({ role, content })) }), { rows: 1 });
      if (changes.length > 0) note({ changes });
      return { changes };
    },
    end: () => {},
  };
};

export const messages = {
  create,
  file: "messages.jsonl",
  sidecars: [REPORT],
  summary: 'fine-tuning samples, one {"messages": […]} per line',
  extensions: [".jsonl"],
  redactable: true,
  ids: {},
  samples: true,
} satisfies WriterShape;
