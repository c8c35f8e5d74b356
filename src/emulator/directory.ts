import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Call, CallLog, Corpus } from "./corpus.ts";
import { Random } from "./random.ts";
import type { Scene } from "./scene.ts";

/** A hand-made instance. Missing fields are generated. */
export interface CallOptions {
  id?: string;
  agent?: string;
  /** @default the last minute of the corpus */
  start?: Date;
  /** @default "Finished" */
  status?: string;
  /** The call log, served unchanged. */
  body?: Uint8Array | string;
  /** Replaces CallLogUrl. */
  link?: string;
  /** Sent with the call log. */
  headers?: Record<string, string>;
  /** Fields that replace those of the Instance in DescribeAIAgentInstance. */
  instance?: Record<string, unknown>;
}

/** The facts about a call in its call log, as far as they can be read. */
const peek = (bytes: Uint8Array): { id?: string; start?: number; seconds: number; greeting?: string } => {
  try {
    const { instanceid, startTime, dialog } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    const turns = Array.isArray(dialog) ? (dialog as { begin?: unknown; type?: unknown; text?: unknown }[]) : [];
    const end = turns.at(-1)?.begin;
    const greeting = turns.find((turn) => turn.type === "greeting")?.text;
    return {
      seconds: typeof end === "number" ? Math.ceil(end) : 0,
      ...(typeof instanceid === "string" && instanceid !== "" && { id: instanceid }),
      ...(typeof startTime === "number" && Number.isFinite(startTime) && { start: startTime }),
      ...(typeof greeting === "string" && { greeting }),
    };
  } catch {
    return { seconds: 0 };
  }
};

/** All calls: the generated corpus, and the calls added by hand, from a folder or by a fault. */
export const createDirectory = (corpus: Corpus, seed: number, end: Date) => {
  const extras = new Map<string, Call>();
  const byKey = new Map<string, Call>();
  const vanished = new Map<string, Call>();
  const defaultAgent = corpus.agents[0] ?? "";

  const insert = (options: CallOptions, read?: () => Uint8Array): string => {
    const number = extras.size;
    const id = options.id ?? new Random(seed, number, 0xadd).hex(32);
    // By default a call starts in the last minute, each in another second.
    const fallback = (end.getTime() - 60_000 + (number % 59) * 1000) / 1000;
    const facts = read ? peek(read()) : { seconds: 0 };
    const start = options.start ? options.start.getTime() / 1000 : (facts.start ?? fallback);
    const base = corpus.like(id, start);
    const call: Call = {
      ...base,
      key: createHash("sha256").update(`${seed}:${id}`).digest("hex").slice(0, 32),
      agent: options.agent ?? defaultAgent,
      status: options.status ?? "Finished",
      ...(read && {
        log: (): CallLog => ({ bytes: read(), seconds: facts.seconds }),
        scene: (): Scene => ({
          ...base.scene(),
          system: "You are a helpful voice assistant.",
          greeting: facts.greeting ?? "Hello.",
          userData: "{}",
        }),
      }),
      ...(options.link !== undefined && { link: options.link }),
      ...(options.headers && { headers: options.headers }),
      ...(options.instance && { instance: options.instance }),
    };
    extras.set(id, call);
    byKey.set(call.key, call);
    return id;
  };

  /** The generated calls of a window, without those that vanished. */
  const generatedIn = (agent: string, since: number, until: number) => {
    const window = corpus.window(agent, since, until);
    const hidden = [...vanished.values()]
      .filter((call) => call.agent === agent && call.start >= since && call.start < until && !extras.has(call.id))
      .map(({ start }) => ({ start, rank: window.newer(start) - 1 }))
      .sort((a, b) => a.rank - b.rank);
    return {
      length: window.length - hidden.length,
      at: (place: number): Call => {
        let rank = place;
        for (const skipped of hidden) if (skipped.rank <= rank) rank++;
        return window.at(rank);
      },
      newer: (start: number): number => window.newer(start) - hidden.filter((call) => call.start >= start).length,
    };
  };

  /** The calls of an agent that started from second `since` to second `until`, both included, newest first. */
  const list = (agent: string, since: number, until: number, offset: number, limit: number): Call[] => {
    const window = generatedIn(agent, since, until + 1);
    const added = [...extras.values()]
      .filter((call) => call.agent === agent && call.start >= since && call.start < until + 1)
      .filter(({ id }) => !vanished.has(id))
      .sort((a, b) => b.start - a.start);
    const ranked = new Map(added.map((call, i) => [window.newer(call.start) + i, call]));
    const last = Math.min(offset + limit, window.length + added.length);
    let passed = [...ranked.keys()].filter((rank) => rank < offset).length;
    const page: Call[] = [];
    for (let rank = offset; rank < last; rank++) {
      const extra = ranked.get(rank);
      if (extra) passed++;
      page.push(extra ?? window.at(rank - passed));
    }
    return page;
  };

  return {
    add: (options: CallOptions): string => {
      const { body } = options;
      if (body === undefined) return insert(options);
      const bytes = typeof body === "string" ? Buffer.from(body) : body;
      return insert(options, () => bytes);
    },

    /** Serves every *.json of a folder, byte for byte, reading it again for each download. */
    load: (folder: string): void => {
      for (const name of readdirSync(folder).sort()) {
        if (!name.endsWith(".json")) continue;
        const read = (): Uint8Array => readFileSync(join(folder, name));
        const id = peek(read()).id;
        insert({ id: id !== undefined && !extras.has(id) ? id : basename(name, ".json") }, read);
      }
    },

    find: (id: string): Call | undefined => extras.get(id) ?? corpus.find(id),
    findByKey: (key: string): Call | undefined => byKey.get(key) ?? corpus.findByKey(key),

    finish: (id: string): void => {
      const extra = extras.get(id);
      if (extra) extra.status = "Finished";
      else if (!corpus.finish(id)) throw new Error(`No such call: ${id}`);
    },

    *ids(): Generator<string> {
      yield* corpus.ids();
      yield* extras.keys();
    },

    /** The calls that are not generated, in the order in which they were added. */
    added: (): IterableIterator<Call> => extras.values(),

    list,

    /** Removes the call at this place from all lists; it can still be described. */
    vanish: (agent: string, since: number, until: number, offset: number): void => {
      const [call] = list(agent, since, until, offset, 1);
      if (call) vanished.set(call.id, call);
    },
  };
};

export type Directory = ReturnType<typeof createDirectory>;
