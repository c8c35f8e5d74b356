import {
  createQueryEntry,
  type QueryEntry,
  type QueryHead,
  type QuerySource,
  type QueryStatus,
} from "./query-entry.ts";
import { Random } from "./random.ts";
import { Timeline } from "./timeline.ts";

/** A hand-made entry of the query log. Missing fields are generated. */
export interface QueryOptions {
  messageId?: string;
  /** @default a conversation of its own */
  conversationId?: string;
  /** @default the first agent of the generated entries */
  agentName?: string;
  question?: string;
  answer?: string;
  /** @default "SUCCEEDED" */
  status?: QueryStatus;
  /** @default "MCP" */
  source?: QuerySource;
  /** @default now */
  createdAt?: Date;
  /** Fields that replace those of the entry, `Content` among them; they change neither its place nor its cursor. */
  fields?: Record<string, unknown>;
}

/** An entry in the log. */
interface Slot {
  /** When it was asked, in milliseconds. */
  readonly at: number;
  readonly id: string;
  readonly agent: string;
  /** Overrides the generated outcome. */
  status?: QueryStatus;
  entry(): QueryEntry;
}

export interface QueriesOptions {
  /** How many entries are generated. */
  queries: number;
  /** How many of the newest generated ones are running. */
  running: number;
  order: "newest" | "oldest";
  seed: number;
  from: Date;
  to: Date;
  account: string;
  now: () => Date;
}

const agents = ["shop-analyst", "device-analyst"] as const;
const MOST_ENTRIES = 4;

/** The log of natural-language queries: generated conversations, and entries added by hand. */
export const createQueries = ({ queries, running, order, seed, from, to, account, now }: QueriesOptions) => {
  const timeline = new Timeline<Slot>();
  const byId = new Map<string, Slot>();
  let added = 0;

  const insert = (head: QueryHead, stream: number, changes: Pick<QueryOptions, "status" | "fields"> = {}): void => {
    if (byId.has(head.id)) throw new Error(`There is already a query with this MessageId: ${head.id}`);
    const slot: Slot = {
      at: head.at,
      id: head.id,
      agent: head.agent,
      ...(changes.status && { status: changes.status }),
      entry: () => ({
        ...createQueryEntry(new Random(seed, stream, 0x9e27), head, slot.status),
        ...changes.fields,
      }),
    };
    timeline.add(slot);
    byId.set(slot.id, slot);
  };

  const lengths: number[] = [];
  for (let left = queries; left > 0; left -= lengths.at(-1) ?? left)
    lengths.push(Math.min(left, new Random(seed, lengths.length, 0x9e1e).int(1, MOST_ENTRIES)));
  const step = (to.getTime() - from.getTime()) / Math.max(1, lengths.length);
  let count = 0;
  lengths.forEach((length, index) => {
    const random = new Random(seed, index, 0x9e47);
    const shared = {
      conversation: `conv_${random.hex(24)}`,
      agent: random.pick(agents),
      source: random.chance(0.5) ? "MCP" : "CHAT",
      language: random.chance(0.6) ? "zh" : "en",
      account,
    } as const;
    const start = from.getTime() + (index + random.next()) * step;
    // Late conversations are hurried, so that all of them end in time.
    const gap = Math.min(random.int(15_000, 180_000), (to.getTime() - start) / (length + 1));
    for (let number = 0; number < length; number++) {
      const head = { ...shared, id: `msg_${random.hex(24)}`, at: Math.floor(start + number * gap) };
      insert(head, count++);
    }
  });
  for (const slot of running > 0 ? timeline.all().slice(-running) : []) slot.status = "RUNNING";

  return {
    add: (options: QueryOptions): string => {
      const number = added++;
      const random = new Random(seed, number, 0x9ead);
      const { messageId: id = `msg_${random.hex(24)}`, conversationId: conversation = `conv_${random.hex(24)}` } =
        options;
      const { agentName: agent = agents[0], source = "MCP", createdAt = now(), question, answer, fields } = options;
      const language = random.chance(0.5) ? "zh" : "en";
      const head = { id, conversation, agent, source, language, account, question, answer } as const;
      insert({ ...head, at: createdAt.getTime() }, number | 0x8000_0000, {
        status: options.status ?? "SUCCEEDED",
        ...(fields && { fields }),
      });
      return id;
    },

    finish: (messageId: string): void => {
      const slot = byId.get(messageId);
      if (slot?.status !== "RUNNING") throw new Error(`No such running query: ${messageId}`);
      slot.status = "SUCCEEDED";
    },

    /** All entries, oldest first. */
    *entries(): Generator<QueryEntry> {
      for (const slot of timeline.all()) yield slot.entry();
    },

    /** The entries of an agent, or of all, in the order of the log. */
    list: (agent: string | undefined): Slot[] => {
      const slots = timeline.all().filter((slot) => agent === undefined || slot.agent === agent);
      return order === "newest" ? slots.reverse() : slots;
    },
  };
};

export type Queries = ReturnType<typeof createQueries>;
