import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { createDialog } from "./dialog.ts";
import { lowerBound } from "./lower-bound.ts";
import { hash32, Random } from "./random.ts";
import { createScene, type Scene } from "./scene.ts";

/** A call log in the object store. */
export interface CallLog {
  readonly bytes: Uint8Array;
  /** The length of the call. */
  readonly seconds: number;
}

/** One AI agent instance, generated or hand-made. */
export interface Call {
  readonly id: string;
  /** The name of its object in the store, from which the id cannot be seen. */
  readonly key: string;
  readonly agent: string;
  /** Seconds since 1970, with a fraction. */
  readonly start: number;
  status: string;
  scene(): Scene;
  log(): CallLog;
  /** Replaces the link to the call log. */
  readonly link?: string;
  /** Sent with the call log. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Fields that replace those of the described Instance. */
  readonly instance?: Readonly<Record<string, unknown>>;
}

export interface CorpusOptions {
  calls: number;
  agents: number;
  seed: number;
  from: Date;
  to: Date;
  open: number;
  documentBytes?: number | undefined;
}

/** How many bytes of generated logs are kept. */
const MEMORY = 16 * 1024 * 1024;
const USUAL_BYTES = 4096;
const encoder = new TextEncoder();

/** Turns a number into 32 hex digits that look random, and back, so that a million ids need no table. */
const permutation = (seed: number, purpose: string) => {
  const key = createHash("sha256").update(`${purpose}:${seed}`).digest().subarray(0, 16);
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  const decipher = createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return {
    hide: (index: number): string => {
      const block = Buffer.alloc(16);
      block.writeUIntBE(index, 10, 6);
      return cipher.update(block).toString("hex");
    },
    reveal: (text: string): number | undefined => {
      if (!/^[0-9a-f]{32}$/.test(text)) return undefined;
      const block = decipher.update(Buffer.from(text, "hex"));
      return block.subarray(0, 10).every((byte) => byte === 0) ? block.readUIntBE(10, 6) : undefined;
    },
  };
};

/** The generated calls. Each is computed from seed and index on demand, so that a large corpus takes no memory. */
export const createCorpus = (options: CorpusOptions) => {
  const { calls, seed, open, documentBytes } = options;
  const ids = permutation(seed, "instance");
  const keys = permutation(seed, "object");
  const agents = Array.from({ length: options.agents }, (_, i) => new Random(seed, i, 0xa6e7).hex(32));
  const from = options.from.getTime() / 1000;
  const step = calls > 0 ? (options.to.getTime() / 1000 - from) / calls : 0;
  const finished = new Set<number>();
  const logs = new Map<string, CallLog>();
  const mostLogs = Math.ceil(MEMORY / (documentBytes ?? USUAL_BYTES));

  const startOf = (index: number): number => from + (index + new Random(seed, index, 0x57a7).next()) * step;
  const within = (index: number | undefined): index is number => index !== undefined && index < calls;

  const at = (index: number): Call => {
    const id = ids.hide(index);
    const status = index < calls - open || finished.has(index) ? "Finished" : "Executing";
    const agent = agents[index % agents.length] ?? "";
    return { key: keys.hide(index), agent, status, ...generated(id, index, startOf(index)) };
  };

  /** The parts of a call that depend on its number; `index` selects the random stream. */
  const generated = (id: string, index: number, start: number) => {
    const compose = (): Scene => createScene(new Random(seed, index, 0x5ce2));
    let created: Scene | undefined;
    const scene = (): Scene => {
      created ??= compose();
      return created;
    };
    const log = (): CallLog => {
      let found = logs.get(id);
      if (!found) {
        // A new scene, because filling templates advances its random stream, and a log must not depend on earlier use.
        const setting = compose();
        const { turns, seconds } = createDialog(setting, new Random(seed, index, 0xd1a1), documentBytes);
        const { agentUserId, remoteUserId } = setting;
        const document = { instanceid: id, startTime: start, agentUserId, remoteUserId, dialog: turns };
        found = { bytes: encoder.encode(JSON.stringify(document)), seconds };
        // Keeps the latest logs, because a call is usually downloaded right after it was described.
        if (logs.size >= mostLogs) logs.delete(logs.keys().next().value ?? id);
        logs.set(id, found);
      }
      return found;
    };
    return { id, start, scene, log };
  };

  return {
    agents,
    /** How many calls there are. */
    calls,
    /** The id of a call by its number, from 0. */
    idAt: (index: number): string => ids.hide(index),
    find: (id: string): Call | undefined => {
      const index = ids.reveal(id);
      return within(index) ? at(index) : undefined;
    },
    findByKey: (key: string): Call | undefined => {
      const index = keys.reveal(key);
      return within(index) ? at(index) : undefined;
    },
    finish: (id: string): boolean => {
      const index = ids.reveal(id);
      if (within(index)) finished.add(index);
      return within(index);
    },
    *ids(): Generator<string> {
      for (let index = 0; index < calls; index++) yield ids.hide(index);
    },
    /** A generated call with the given id, as a base for hand-made calls. */
    like: (id: string, start: number) => generated(id, hash32(id) | 0x8000_0000, start),
    /** The calls of an agent that started in [since, until) seconds: their number, and each by its rank, newest first. */
    window: (agent: string, since: number, until: number) => {
      const owner = agents.indexOf(agent);
      // Position p of this agent is call number owner + p * agents.
      const total = owner < 0 ? 0 : Math.max(0, Math.ceil((calls - owner) / agents.length));
      const startAt = (position: number): number => startOf(owner + position * agents.length);
      const low = lowerBound(total, startAt, since);
      const high = Math.max(low, lowerBound(total, startAt, until));
      return {
        length: high - low,
        at: (rank: number): Call => at(owner + (high - 1 - rank) * agents.length),
        /** How many of them started at this time or later. */
        newer: (start: number): number => high - Math.max(low, Math.min(high, lowerBound(total, startAt, start))),
      };
    },
  };
};

export type Corpus = ReturnType<typeof createCorpus>;
