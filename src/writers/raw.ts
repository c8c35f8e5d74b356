import type { Writer } from "../core/ports.ts";
import { isGzip, unpacked } from "../core/text.ts";
import { fileName, RECORDS } from "./file-name.ts";
import type { WriterOptions, WriterShape } from "./shape.ts";

const FOLDER = "raw";
/** The main file, in which a sink may list the files: this writer itself writes nothing to it. */
const LIST = `${FOLDER}/SHA256SUMS`;

/**
The documents themselves.

In a folder: a file per call under `raw/`, byte for byte as the service stores it, and beside it one with the call's other
records, if it has any. As one file: a JSON array of the documents, without gzip and byte order marks, which an array
cannot contain; other records of a call are an array after its log.
*/
const create = ({ single = false }: WriterOptions): Writer => (single ? array() : files());

const files = (): Writer => ({
  begin: () => {},
  item: ({ id }, put, { document: { bytes }, further }) => {
    put(bytes, { rows: 1, whole: true, file: `${FOLDER}/${fileName(id)}.json${isGzip(bytes) ? ".gz" : ""}` });
    if (further && further !== bytes) put(further, { whole: true, file: `${FOLDER}/${fileName(id)}${RECORDS}.json` });
    return undefined;
  },
  end: () => {},
});

const array = (): Writer => ({
  begin: (put) => put("["),
  item: (_, put, { document, further }) => {
    put("\n");
    put(unpacked(document.bytes), { rows: 1 });
    if (further && further !== document.bytes) {
      put(",\n");
      put(further);
    }
    return undefined;
  },
  between: ",",
  end: (put, items) => put(items > 0 ? "\n]\n" : "]\n"),
});

export const raw = {
  create,
  file: LIST,
  sidecars: [],
  summary: "the service's own documents: a file per call, or one JSON array",
  extensions: [".json"],
  redactable: false,
  // One array holds its ids only inside the documents.
  ids: { folder: "checksums" },
  samples: false,
} satisfies WriterShape;
