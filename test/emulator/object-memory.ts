import { type CallRecordOptions, createCallRecords } from "../../src/emulator/call-records.ts";
import { createCorpus } from "../../src/emulator/corpus.ts";
import { createDirectory } from "../../src/emulator/directory.ts";
import type { NewObject, ObjectPort } from "../../src/emulator/object-port.ts";

/** Object storage that only remembers: its objects by `BUCKET/KEY`. */
const objectMemory = () => {
  const objects = new Map<string, NewObject>();
  const name = (bucket: string, key: string): string => `https://files.aliyuncs.com/${bucket}/${encodeURI(key)}`;
  const port: ObjectPort = {
    put: (object) => {
      objects.set(`${object.bucket}/${object.key}`, object);
      return name(object.bucket, object.key);
    },
    link: (bucket, key, seconds) => `${name(bucket, key)}?Expires=${seconds}&Signature=SIGNATURE`,
  };
  return { port, objects };
};

/** The name of the object behind a link of the memory: `BUCKET/KEY`. */
export const objectOf = (link: string): string => decodeURI(new URL(link).pathname).slice(1);

/** Calls with dialogues, callbacks and recordings over an object storage that only remembers. */
export const callRecords = (options: CallRecordOptions & { calls: number; open?: number; seed?: number }) => {
  const { calls, open = 0, seed = 1, ...rest } = options;
  const [from, to] = [new Date("2025-07-14T00:00:00Z"), new Date("2025-07-21T00:00:00Z")];
  const corpus = createCorpus({ calls, agents: 3, seed, from, to, open });
  const directory = createDirectory(corpus, seed, to);
  const { port, objects } = objectMemory();
  const now = (): Date => new Date("2025-07-21T00:00:00Z");
  const services = { ...rest, corpus, directory, objects: port, seed, from, to, linkTtlSeconds: 3600, now };
  return { ...createCallRecords(services), directory, objects };
};
