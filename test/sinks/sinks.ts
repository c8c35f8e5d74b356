import { basename, dirname } from "node:path";
import { PassThrough } from "node:stream";
import type { Chunk } from "../../src/core/ports.ts";
import { AtomicFile } from "../../src/sinks/atomic-file.ts";
import { FileSet } from "../../src/sinks/file-set.ts";
import { tagOf } from "../../src/sinks/leftovers.ts";
import { fillWhole } from "../../src/sinks/whole-file.ts";
import type { MakeSink } from "../contracts/sink.ts";

export const SELF = { host: "here", pid: process.pid, isAlive: () => true, now: () => new Date() };

const fileSet = (path: string): FileSet =>
  new FileSet({ root: dirname(path), manifest: "manifest.json", tag: tagOf(SELF) });

/** The sinks of files. */
export const SINKS: Record<string, MakeSink> = {
  AtomicFile: async (path) => {
    const file = await AtomicFile.open(path, tagOf(SELF));
    return {
      add: (data, rows) => file.add(data, rows),
      flush: () => file.flush(),
      finish: async () => {
        await file.seal();
        await file.publish();
        return file.facts();
      },
      discard: () => file.discard(),
    };
  },

  "the main file of a FileSet": async (path) => {
    const set = fileSet(path);
    const output = set.output(basename(path));
    await set.file(basename(path));
    return {
      add: (data, rows = 0) => output.put(data, { rows }),
      flush: () => output.flush(),
      finish: async () => {
        await output.flush();
        return (await set.publish(() => ({}))).at(0);
      },
      discard: () => set.discard(),
    };
  },

  "a whole file of a FileSet": async (path) => {
    const set = fileSet(path);
    const output = set.output("SHA256SUMS");
    const pieces: Chunk[] = [];
    const flush = async (): Promise<void> => {
      const data = Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
      output.put(data, { file: basename(path), whole: true });
      await output.flush();
    };
    return {
      add: (data) => void pieces.push(data),
      flush: async () => undefined,
      finish: async () => {
        await flush();
        await set.publish(() => ({}));
        return undefined;
      },
      discard: async () => {
        await flush().catch(() => undefined);
        await set.discard();
      },
    };
  },

  fillWhole: async (path) => {
    const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
    const never = new AbortController().signal;
    const context = { closing: never, ending: never, log: () => undefined };
    let end: (error?: Error) => void = () => undefined;
    const ended = new Promise<void>((done, fail) => {
      end = (error) => (error ? fail(error) : done());
    });
    type Target = Parameters<Parameters<typeof fillWhole>[3]>[0];
    let written: Promise<void> = Promise.resolve();
    const target = await new Promise<Target>((open, fail) => {
      written = fillWhole(path, { ...SELF, ...streams }, context, (file) => {
        open(file);
        return ended;
      });
      written.catch(fail);
    });
    return {
      add: (data, rows) => target.add(data, rows),
      flush: () => target.flush(),
      finish: async () => {
        end();
        await written;
        return undefined;
      },
      discard: async () => {
        end(new Error("given up"));
        await written.catch(() => undefined);
      },
    };
  },
};
