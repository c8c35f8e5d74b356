import { appendFileSync, chmodSync, existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectCaught } from "../contracts/mutants.ts";
import { type MadeSink, type MakeSink, type SinkCheck, sinkContract } from "../contracts/sink.ts";
import { SINKS } from "./sinks.ts";

for (const [name, make] of Object.entries(SINKS))
  describe(`${name} keeps the contract of sinks`, () => {
    for (const [sentence, check] of Object.entries<SinkCheck>(sinkContract)) test(sentence, () => check(make));
  });

type Mutate = (real: MadeSink, path: string) => Partial<MadeSink>;

/** For each clause, sinks that break it. */
const MUTANTS: { [Sentence in keyof typeof sinkContract]: Record<string, Mutate> } = {
  "a file appears under its name when it is finished, and then whole": {
    "it appears while it is written": (real, path) => ({
      add: (data, rows) => {
        if (!existsSync(path)) writeFileSync(path, "");
        real.add(data, rows);
      },
    }),
    "its last piece is missing": (real) => {
      let last: Parameters<MadeSink["add"]> | undefined;
      return {
        add: (...values) => {
          if (last) real.add(...last);
          last = values;
        },
      };
    },
  },
  "an older file stays whole until the new one takes its place": {
    "it is deleted first": (real, path) => ({
      flush: async () => {
        rmSync(path, { force: true });
        await real.flush();
      },
    }),
    "it is kept": (real) => ({
      finish: async () => {
        await real.discard();
        return undefined;
      },
    }),
  },
  "a file that is given up leaves nothing, and an older file as it was": {
    "its part is left": (real, path) => ({
      discard: async () => {
        await real.discard();
        writeFileSync(`${path}.part`, "left");
      },
    }),
    "the older file is deleted": (real, path) => ({
      discard: async () => {
        await real.discard();
        rmSync(path, { force: true });
      },
    }),
    "it appears": (real) => ({ discard: async () => void (await real.finish()) }),
  },
  "texts and bytes come out as they went in, in any order and size": {
    "texts are latin1": (real) => ({
      add: (data) => real.add(typeof data === "string" ? Buffer.from(data, "latin1") : data),
    }),
    "bytes are text": (real) => ({ add: (data) => real.add(typeof data === "string" ? data : String(data)) }),
    "bytes overtake texts": (real) => {
      const texts: string[] = [];
      return {
        add: (data) => void (typeof data === "string" ? texts.push(data) : real.add(data)),
        finish: () => {
          real.add(texts.join(""));
          return real.finish();
        },
      };
    },
  },
  "the facts of a file are its SHA-256, bytes and rows": {
    "the last bytes are missing": (real, path) => ({
      finish: async () => {
        const facts = await real.finish();
        appendFileSync(path, "more");
        return facts;
      },
    }),
  },
  "nothing to write makes an empty file": {
    "there is none": (real) => ({
      finish: async () => {
        await real.discard();
        return undefined;
      },
    }),
  },
  "only its owner may read a file, and enter the folders made for it": {
    "all may read the file": (real, path) => ({
      finish: async () => {
        const facts = await real.finish();
        chmodSync(path, 0o644);
        return facts;
      },
    }),
    "all may enter the folder": (real, path) => ({
      finish: async () => {
        const facts = await real.finish();
        chmodSync(dirname(path), 0o755);
        return facts;
      },
    }),
  },
  "two that write one name at the same time do not mix": {
    "both add to one file": (real, path) => ({
      finish: async () => {
        const before = existsSync(path) ? statSync(path).size : 0;
        const facts = await real.finish();
        appendFileSync(path, "x".repeat(before));
        return facts;
      },
    }),
  },
  "a name that is taken by a folder is an error, and nothing is left": {
    "the error is not told": (real) => ({ finish: () => real.finish().catch(() => undefined) }),
    "the part is left": (real, path) => ({
      finish: () => {
        writeFileSync(`${path}.part`, "left");
        return real.finish();
      },
    }),
  },
};

describe("the contract of sinks catches a sink that breaks a promise:", () => {
  const before = fc.readConfigureGlobal();
  // The first failure is enough; a smaller one is not needed.
  beforeAll(() => void fc.configureGlobal({ ...before, endOnFailure: true }));
  afterAll(() => void fc.configureGlobal(before));
  const make = SINKS.AtomicFile as MakeSink;
  for (const [sentence, mutants] of Object.entries(MUTANTS))
    test(sentence, async () => {
      expect(Object.keys(mutants)).not.toEqual([]);
      const check = (sinkContract as Record<string, SinkCheck>)[sentence];
      for (const [breaks, mutate] of Object.entries(mutants)) {
        const opened: MadeSink[] = [];
        await expectCaught(breaks, async () =>
          check?.(async (path) => {
            const real = await make(path);
            opened.push(real);
            return { ...real, ...mutate(real, path) };
          }),
        );
        // A check that fails leaves its file open.
        for (const real of opened) await real.discard();
      }
    });
  test("facts that are not those of the file", async () => {
    const wrong = [{ rows: 4 }, { bytes: 1 }, { sha256: "0".repeat(64) }, { name: "other" }];
    for (const facts of wrong)
      await expectCaught(JSON.stringify(facts), () =>
        sinkContract["the facts of a file are its SHA-256, bytes and rows"](async (path) => {
          const real = await make(path);
          return {
            ...real,
            finish: async () => {
              const found = await real.finish();
              return found && { ...found, ...facts };
            },
          };
        }),
      );
  });
});
