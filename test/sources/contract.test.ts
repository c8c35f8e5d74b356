import { describe, expect, test } from "vitest";
import { NotFound } from "../../src/core/errors.ts";
import type { FoundCall } from "../../src/core/ports.ts";
import { Broken, expectCaught } from "../contracts/mutants.ts";
import { type MadeSource, type SourceCheck, sourceContract, type World } from "../contracts/source.ts";
import { SOURCES } from "./calls.ts";

for (const [name, make] of Object.entries(SOURCES))
  describe(`${name} keep the contract of sources`, () => {
    for (const [sentence, check] of Object.entries<SourceCheck>(sourceContract)) test(sentence, () => check(make));
  });

async function* atOnce(batches: AsyncIterable<FoundCall[]>, times = 1): AsyncGenerator<FoundCall[]> {
  const all: FoundCall[] = [];
  for await (const batch of batches) all.push(...batch);
  for (let time = 0; time < times; time += 1) yield all;
}

type Mutate = (real: MadeSource, world: World) => Partial<MadeSource>;

/** For each clause, sources that break it. */
const MUTANTS: { [Sentence in keyof typeof sourceContract]: Record<string, Mutate> } = {
  "every conversation is found once, with an identity of its own": {
    "each is found twice": (real) => ({ found: () => atOnce(real.found(), 2) }),
    "they have no identity": (real) => ({
      async *found() {
        for await (const batch of real.found()) yield batch.map((call) => ({ ...call, ref: {} }));
      },
    }),
  },
  "batches are of bounded size, and none is empty": {
    "all come in one batch": (real) => ({ found: () => atOnce(real.found()) }),
    "a batch is empty": (real) => ({
      async *found() {
        yield* real.found();
        yield [];
      },
    }),
  },
  "nothing to find is no error": {
    "there is an empty call": () => ({
      async *found() {
        yield [{ ref: {} }];
      },
    }),
  },
  "work begins before the selection is read to its end, and a reader that stops ends it": {
    "the selection is read first": (real) => ({ found: () => atOnce(real.found()) }),
  },
  "a document comes as it is, byte for byte": {
    "documents are written again": (real) => ({
      fetch: async (call) => {
        const { document, ...result } = await real.fetch(call);
        const bytes = Buffer.from(JSON.stringify(JSON.parse(Buffer.from(document?.bytes ?? []).toString()), null, 1));
        return { ...result, document: { bytes, sha256: document?.sha256 ?? "" } };
      },
    }),
  },
  "a document that is none of its kind is kept as invalid": {
    "it is not kept": (real) => ({
      fetch: async (call) => {
        const { document, ...result } = await real.fetch(call);
        return { ...result, ...(result.state === "fetched" && document && { document }) };
      },
    }),
    "it is taken for good": (real) => ({ fetch: async (call) => ({ ...(await real.fetch(call)), state: "fetched" }) }),
  },
  "the error of one conversation is its own, and says what comes next": {
    "an error stops those after it": (real) => {
      let failed: unknown;
      return {
        fetch: async (call) => {
          if (failed) throw failed;
          return real.fetch(call).catch((error: unknown) => {
            failed = error;
            throw error;
          });
        },
      };
    },
    "every error means that it is missing": (real) => ({
      fetch: (call) =>
        real.fetch(call).catch(() => {
          throw new NotFound("missing", { code: "X" });
        }),
    }),
  },
  "an error that no request can avoid stops the run": {
    "it is one call's error": (real) => ({
      fetch: (call) =>
        real.fetch(call).catch(() => {
          throw new NotFound("missing", { code: "X" });
        }),
    }),
  },
  "an expired link is replaced": {
    "it is an error": (real, world) => ({
      fetch: async (call) => {
        const result = await real.fetch(call);
        if (world.downloaded.length > 1) throw new Broken("The link has expired.");
        return result;
      },
    }),
  },
  "a signal stops a fetch, which then requests nothing": {
    "the signal is not passed on": (real) => ({ fetch: (call) => real.fetch(call) }),
  },
  "a signal stops the selection, which then requests nothing": {
    "the signal is not passed on": (real, world) => ({
      async *found() {
        for await (const batch of real.found()) {
          world.asked.push("list");
          yield batch;
        }
      },
    }),
  },
  "nothing is requested twice without need": {
    "each document is": (real) => ({
      fetch: async (call) => {
        await real.fetch(call);
        return real.fetch(call);
      },
    }),
    "the selection is read three times": (real) => ({
      async *found() {
        for (let time = 0; time < 2; time += 1) for await (const _ of real.found());
        yield* real.found();
      },
      fetch: async (call) => {
        for (let time = 0; time < 2; time += 1) await real.fetch(call);
        return real.fetch(call);
      },
    }),
  },
  "a run that stops is continued: nothing is lost, and no stored document is requested again": {
    "an identity is another in each run": (real) => {
      const run = Math.random();
      const calls = new Map<string, FoundCall>();
      return {
        async *found() {
          for await (const batch of real.found())
            yield batch.map((call) => {
              const link = `https://logs.example/${run}/${calls.size}`;
              calls.set(link, call);
              return { ...call, ref: { link } };
            });
        },
        fetch: async (call) => {
          const { instanceId: _, ...result } = await real.fetch(calls.get(call.ref.link ?? "") ?? call);
          return { ...result, link: call.ref.link ?? "" };
        },
      };
    },
    "the last batch is forgotten": (real) => ({
      async *found() {
        let before: FoundCall[] | undefined;
        for await (const batch of real.found()) {
          if (before) yield before;
          before = batch;
        }
      },
    }),
  },
  "whatever a document is and whatever id it carries, an archive takes the result": {
    "its id is taken as it is": (real) => ({
      fetch: async (call) => {
        const result = await real.fetch(call);
        return { ...result, instanceId: JSON.parse(Buffer.from(result.document?.bytes ?? []).toString()).instanceid };
      },
    }),
  },
};

describe("the contract of sources catches a source that breaks a promise:", () => {
  for (const [name, make] of Object.entries(SOURCES))
    for (const [sentence, mutants] of Object.entries(MUTANTS))
      test(`${name}: ${sentence}`, async () => {
        expect(Object.keys(mutants)).not.toEqual([]);
        const check = (sourceContract as Record<string, SourceCheck>)[sentence];
        for (const [breaks, mutate] of Object.entries(mutants))
          await expectCaught(breaks, async () =>
            check?.((world) => {
              const real = make(world);
              return { ...real, ...mutate(real, world) };
            }),
          );
      });
});
