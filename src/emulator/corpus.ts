import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { createDialog } from "./dialog.ts";
import { hash32, Random } from "./random.ts";
import { createScene, type Scene } from "./scene.ts";

/** A call log as the object store has it. */
export interface CallLog {
  readonly bytes: Uint8Array;
  /** How long the call lasted. */
  readonly seconds: number;
}

/** One AI agent instance, the generated and the hand-made alike. */
export interface Call {
  readonly id: string;
  /** The name of its object in the store; it does not give the id away. */
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
  /** Merged over the Instance that is described. */
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

const MEMORY = 16 * 1024 * 1024;
const USUAL_BYTES = 4096;
const encoder = new TextEncoder();

/** A number as 32 hex digits that look random, and back: so a million ids need no table. */
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

/** The first index in [0, length) for which the growing `value` is at least `bound`. */
const lowerBound = (length: number, value: (index: number) => number, bound: number): number => {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (value(middle) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The generated calls: all of it is computed from seed and index when asked for, nothing is kept. */
export const createCorpus = (options: CorpusOptions) => {
  const { calls, seed, open, documentBytes } = options;
  const ids = permutation(seed, "instance");
  const keys = permutation(seed, "object");
  const agents = Array.from({ length: options.agents }, (_, i) => new Random(seed, i, 0xa6e7).hex(32));
  const from = options.from.getTime() / 1000;
  const step = calls > 0 ? (options.to.getTime() / 1000 - from) / calls : 0;
  const finished = new Set<number>();
  const logs = new Map<string, CallLog>();
  const remembered = Math.ceil(MEMORY / (documentBytes ?? USUAL_BYTES));

  const startOf = (index: number): number => from + (index + new Random(seed, index, 0x57a7).next()) * step;
  const within = (index: number | undefined): index is number => index !== undefined && index < calls;

  const at = (index: number): Call => {
    const id = ids.hide(index);
    const status = index < calls - open || finished.has(index) ? "Finished" : "Executing";
    const agent = agents[index % agents.length] ?? "";
    return { key: keys.hide(index), agent, status, ...generated(id, index, startOf(index)) };
  };

  /** The parts of a call that its number decides; `index` names the stream of chance. */
  const generated = (id: string, index: number, start: number) => {
    const compose = (): Scene => createScene(new Random(seed, index, 0x5ce2));
    let settled: Scene | undefined;
    const scene = (): Scene => {
      settled ??= compose();
      return settled;
    };
    const log = (): CallLog => {
      let found = logs.get(id);
      if (!found) {
        // A scene of its own: filling in templates moves its chance on, and a log must not depend on what came before.
        const setting = compose();
        const { turns, seconds } = createDialog(setting, new Random(seed, index, 0xd1a1), documentBytes);
        const { agentUserId, remoteUserId } = setting;
        const document = { instanceid: id, startTime: start, agentUserId, remoteUserId, dialog: turns };
        found = { bytes: encoder.encode(JSON.stringify(document)), seconds };
        // A call is mostly downloaded just after it was described: remember the latest few.
        if (logs.size >= remembered) logs.delete(logs.keys().next().value ?? id);
        logs.set(id, found);
      }
      return found;
    };
    return { id, start, scene, log };
  };

  return {
    agents,
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
    /** A generated call under another id, for what is added by hand. */
    like: (id: string, start: number) => generated(id, hash32(id) | 0x8000_0000, start),
    /** The calls of an agent that started in [since, until) seconds: how many, and each by its rank, newest first. */
    window: (agent: string, since: number, until: number) => {
      const owner = agents.indexOf(agent);
      // Positions among this agent's calls: position p is call number owner + p * agents.
      const total = owner < 0 ? 0 : Math.max(0, Math.ceil((calls - owner) / agents.length));
      const startAt = (position: number): number => startOf(owner + position * agents.length);
      const low = lowerBound(total, startAt, since);
      const high = Math.max(low, lowerBound(total, startAt, until));
      return {
        length: high - low,
        at: (rank: number): Call => at(owner + (high - 1 - rank) * agents.length),
        /** How many of them are newer than a time. */
        newer: (start: number): number => high - Math.max(low, Math.min(high, lowerBound(total, startAt, start))),
      };
    },
  };
};

export type Corpus = ReturnType<typeof createCorpus>;
