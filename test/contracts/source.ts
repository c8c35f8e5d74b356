import { createHash } from "node:crypto";
import { expect } from "vitest";
import { BadCredentials, CutShort, LinkExpired, NotFound, Refused, Unavailable } from "../../src/core/errors.ts";
import { isUsableId } from "../../src/core/ids.ts";
import type { Fetch, FoundCall } from "../../src/core/ports.ts";
import { pull } from "../../src/core/pull.ts";
import type { Document } from "../../src/core/records.ts";
import { isFinal } from "../../src/core/state.ts";
import { runCheck } from "./archive/index.ts";
import { sqliteArchive } from "./archive/sqlite.ts";

/** A conversation that a source finds. */
export interface Conversation {
  id: string;
  text: string;
  /** What happens when its document is requested. `expired`: its link has expired, and a new one works. */
  fault?: "missing" | "unavailable" | "cut" | "refused" | "credentials" | "expired";
}

/** A service with conversations. It counts what is requested from it. */
export class World {
  readonly conversations: readonly Conversation[];
  /** Each request for anything but a document. */
  readonly asked: string[] = [];
  /** The id of each conversation whose document was requested. */
  readonly downloaded: string[] = [];
  /** How many ids were read from an input. */
  read = 0;

  constructor(conversations: readonly Conversation[]) {
    this.conversations = conversations;
  }

  /** The ids, one by one. */
  *ids(): Generator<string> {
    for (const { id } of this.conversations) {
      this.read += 1;
      yield id;
    }
  }

  /** The document of a conversation. @throws its fault */
  document(id: string, signal?: AbortSignal): Document {
    signal?.throwIfAborted();
    this.downloaded.push(id);
    const found = this.conversations.find((each) => each.id === id);
    const times = this.downloaded.filter((each) => each === id).length;
    const facts = { code: "Fault" };
    switch (found?.fault) {
      case "missing":
        throw new NotFound("missing", facts);
      case "unavailable":
        throw new Unavailable("unavailable", facts);
      case "cut":
        throw new CutShort("cut", facts);
      case "refused":
        throw new Refused("refused", facts);
      case "credentials":
        throw new BadCredentials("credentials", facts);
      case "expired":
        if (times === 1) throw new LinkExpired("expired", facts);
    }
    return documentOf(found?.text ?? "");
  }
}

const documentOf = (text: string): Document => {
  const bytes = Buffer.from(text);
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
};

/** A source of the conversations of a world. */
export interface MadeSource {
  /** The selection. @param signal ends its requests */
  found(signal?: AbortSignal): AsyncIterable<FoundCall[]>;
  fetch: Fetch;
}
export type MakeSource = (world: World) => MadeSource;

export type SourceCheck = (make: MakeSource) => Promise<void>;

export const logOf = (id: string, more: object = {}): string =>
  JSON.stringify({ instanceid: id, startTime: 1_755_138_072, dialog: [{ id: 1, role: "user", text: id }], ...more });

const named = (count: number): Conversation[] =>
  Array.from({ length: count }, (_, at) => ({ id: `call-${at}`, text: logOf(`call-${at}`) }));

const all = async (batches: AsyncIterable<FoundCall[]>): Promise<FoundCall[]> => {
  const found: FoundCall[] = [];
  for await (const batch of batches) found.push(...batch);
  return found;
};

const identity = ({ ref }: FoundCall): string | undefined => ref.instanceId ?? ref.standIn ?? ref.link;

/** The text of a fetched call. */
const textOf = ({ document }: { document?: Document }): string => Buffer.from(document?.bytes ?? []).toString();

/** Fetches all calls that are found. An error takes the place of a result. */
const fetchAll = async ({ found, fetch }: MadeSource) => {
  const results: { state?: string; text?: string; error?: unknown }[] = [];
  for (const call of await all(found()))
    try {
      const result = await fetch(call);
      results.push({ state: result.state, text: textOf(result) });
    } catch (error) {
      results.push({ error });
    }
  return results;
};

/** What every source of conversations promises. */
export const sourceContract = {
  "every conversation is found once, with an identity of its own": async (make) => {
    const world = new World(named(250));
    const found = await all(make(world).found());
    expect(found).toHaveLength(250);
    expect(new Set(found.map(identity)).size).toBe(250);
    expect(found.every((call) => identity(call) !== undefined)).toBe(true);
    expect(world.downloaded).toEqual([]);
  },

  "batches are of bounded size, and none is empty": async (make) => {
    for await (const batch of make(new World(named(5_000))).found()) {
      expect(batch.length).toBeGreaterThan(0);
      expect(batch.length).toBeLessThanOrEqual(2_000);
    }
  },

  "nothing to find is no error": async (make) => {
    expect(await all(make(new World([])).found())).toEqual([]);
  },

  "work begins before the selection is read to its end, and a reader that stops ends it": async (make) => {
    const world = new World(named(5_000));
    for await (const _ of make(world).found()) break;
    const { read } = world;
    const asked = world.asked.length;
    expect(read).toBeLessThan(200);
    expect(asked).toBeLessThan(10);
    await new Promise((done) => setImmediate(done));
    expect([world.read, world.asked.length]).toEqual([read, asked]);
  },

  "a document comes as it is, byte for byte": async (make) => {
    const texts = ["plain", 'with "quotes" \u2028', "长\u{1f600}"].map((id, at) => logOf(`call-${at}`, { extra: id }));
    const world = new World(texts.map((text, at) => ({ id: `call-${at}`, text })));
    const results = await fetchAll(make(world));
    expect(results.map(({ text }) => text).toSorted()).toEqual(texts.toSorted());
    expect(new Set(results.map(({ state }) => state))).toEqual(new Set(["fetched"]));
  },

  "a document that is none of its kind is kept as invalid": async (make) => {
    for (const text of ["<html>", "", "{", '{"other":1}', "[]", '"text"']) {
      const [result] = await fetchAll(make(new World([{ id: "call-0", text }])));
      expect(result).toEqual({ state: "invalid", text });
    }
  },

  "the error of one conversation is its own, and says what comes next": async (make) => {
    const faults = ["missing", "unavailable", "cut", "refused"] as const;
    const world = new World([
      { id: "before", text: logOf("before") },
      ...faults.map((fault) => ({ id: fault, text: "", fault })),
      { id: "after", text: logOf("after") },
    ]);
    const results = await fetchAll(make(world));
    const errors = results.flatMap(({ error }) =>
      error instanceof Error ? `${error.name} ${Reflect.get(error, "next")}` : [],
    );
    expect(errors.toSorted()).toEqual(["CutShort retry", "NotFound skip", "Refused skip", "Unavailable retry"]);
    expect(results.flatMap(({ text }) => text ?? []).toSorted()).toEqual([logOf("after"), logOf("before")]);
  },

  "an error that no request can avoid stops the run": async (make) => {
    const [result] = await fetchAll(make(new World([{ id: "call-0", text: "", fault: "credentials" }])));
    expect(result?.error).toMatchObject({ name: "BadCredentials", next: "stop" });
  },

  "an expired link is replaced": async (make) => {
    const world = new World([{ id: "call-0", text: logOf("call-0"), fault: "expired" }]);
    expect(await fetchAll(make(world))).toEqual([{ state: "fetched", text: logOf("call-0") }]);
    expect(world.downloaded).toHaveLength(2);
  },

  "a signal stops a fetch, which then requests nothing": async (make) => {
    const world = new World(named(3));
    const source = make(world);
    const found = await all(source.found());
    const asked = world.asked.length;
    const signal = AbortSignal.abort(new Error("enough"));
    for (const call of found) {
      const thrown = await source.fetch(call, signal).catch((error: unknown) => error);
      expect(String(thrown)).toBe("Error: enough");
    }
    expect(world.downloaded).toEqual([]);
    expect(world.asked.length - asked).toBeLessThanOrEqual(found.length);
  },

  "a signal stops the selection, which then requests nothing": async (make) => {
    const world = new World(named(250));
    const controller = new AbortController();
    let asked: number | undefined;
    try {
      for await (const _ of make(world).found(controller.signal)) {
        asked ??= world.asked.length;
        controller.abort(new Error("enough"));
      }
    } catch (error) {
      expect(String(error)).toBe("Error: enough");
    }
    expect(world.asked.length).toBe(asked);
  },

  "nothing is requested twice without need": async (make) => {
    const world = new World(named(250));
    await fetchAll(make(world));
    expect(world.downloaded.toSorted()).toEqual(world.conversations.map(({ id }) => id).toSorted());
    const times = new Map<string, number>();
    for (const request of world.asked) times.set(request, (times.get(request) ?? 0) + 1);
    // A list of several pages is read twice, because its pages may move.
    expect(Math.max(...times.values())).toBeLessThanOrEqual(2);
  },

  "a run that stops is continued: nothing is lost, and no stored document is requested again": async (make) => {
    const world = new World(named(60));
    await runCheck(async ({ open }) => {
      const run = async (stopAfter?: number): Promise<void> => {
        const archive = await open();
        const closing = new AbortController();
        const { found, fetch } = make(world);
        await pull({
          archive,
          found: found(),
          fetch,
          concurrency: 4,
          now: () => new Date("2025-08-20T00:00:00Z"),
          closing: closing.signal,
          log: () => undefined,
          progress: ({ settled }) => {
            if (stopAfter !== undefined && settled >= stopAfter) closing.abort(new Error("enough"));
          },
        }).catch((error: unknown) => {
          if (!closing.signal.aborted) throw error;
        });
        await archive.close();
      };
      await run(20);
      const firstRun = world.downloaded.length;
      expect(firstRun).toBeGreaterThanOrEqual(20);
      expect(firstRun).toBeLessThan(60);
      await run();
      const archive = await open();
      expect((await archive.summary()).counts).toMatchObject({ fetched: 60, pending: 0 });
      expect(world.downloaded).toHaveLength(60);
    }, sqliteArchive);
  },

  "whatever a document is and whatever id it carries, an archive takes the result": async (make) => {
    const carried = [
      "x".repeat(100_000),
      "a\u0000b",
      "\ud800",
      "长".repeat(1000),
      "",
      "link-".padEnd(37, "0"),
      "../../x",
    ];
    const world = new World([
      ...carried.map((id, at) => ({ id: `call-${at}`, text: logOf(id) })),
      { id: "number", text: '{"instanceid":1e300,"dialog":[]}' },
      { id: "object", text: '{"instanceid":{},"dialog":[]}' },
      { id: "far", text: logOf("far", { startTime: 1e308 }) },
      { id: "before 1970", text: logOf("before 1970", { startTime: -1 }) },
    ]);
    await runCheck(async ({ open }) => {
      const archive = await open();
      const { found, fetch } = make(world);
      for (const call of await all(found())) {
        const [chosen] = await archive.select([call.ref]);
        const result = await fetch(call);
        expect(isUsableId(result.instanceId ?? "none")).toBe(true);
        expect(isFinal(result.state)).toBe(true);
        await archive.commit([{ item: chosen?.item ?? 0, ...result }]);
      }
      const texts: string[] = [];
      for await (const batch of archive.list({}, { documents: true })) texts.push(...batch.map(textOf));
      expect(texts.toSorted()).toEqual(world.conversations.map(({ text }) => text).toSorted());
      expect(await archive.integrity()).toEqual([]);
    }, sqliteArchive);
  },
} satisfies Record<string, SourceCheck>;
