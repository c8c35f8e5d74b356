import type { AddressInfo } from "node:net";
import { type CallRecordOptions, type CallRecords, createCallRecords } from "./call-records.ts";
import { type ChatEventOptions, type CloudEvent, createChats } from "./chats.ts";
import { createCorpus } from "./corpus.ts";
import { createDeliveries, type DeliveryOptions } from "./deliveries.ts";
import { type CallOptions, createDirectory } from "./directory.ts";
import { createEventBridge } from "./eventbridge.ts";
import { Dice, type Faults } from "./faults.ts";
import { createIce } from "./ice.ts";
import { createLinks } from "./links.ts";
import { createObjects, type ObjectOptions } from "./objects.ts";
import { createQueries, type QueryOptions } from "./queries.ts";
import type { QueryEntry } from "./query-entry.ts";
import { createQuota } from "./quota.ts";
import { createRpc } from "./rpc.ts";
import { createEmulatorServer, type Stats } from "./server.ts";
import { signatureCheck } from "./signature.ts";
import { createStore } from "./store.ts";
import { createSts } from "./sts.ts";

export { type Faults, parseFaults } from "./faults.ts";

export interface EmulatorOptions extends CallRecordOptions {
  /** @default 0, any free port */
  port?: number;
  /** Number of calls. They are computed on demand, so a million is fine. @default 200 */
  calls?: number;
  /** @default 3 */
  agents?: number;
  /** Same seed, same bytes. @default 1 */
  seed?: number;
  /** The earliest start of a call, chat or query. @default 2025-07-14T00:00Z */
  from?: Date;
  /** All calls start before this, and all chats and queries end before it. @default 2025-07-21T00:00Z */
  to?: Date;
  /** A folder of call logs (*.json), served byte for byte as calls of the first agent. */
  data?: string;
  /** How many of the newest calls have not ended yet. @default 0 */
  open?: number;
  /** Number of generated chat sessions on the event bus "default", each with 1 to 6 events. @default 0 */
  chats?: number;
  /** For how many days after it was received an event is listed and returned. @default no limit */
  traceDays?: number;
  /** Number of generated entries in the log of natural-language queries. @default 0 */
  queries?: number;
  /** How many of the newest generated queries are RUNNING. @default 0 */
  runningQueries?: number;
  /** Which queries are listed first. @default "newest" */
  queryOrder?: "newest" | "oldest";
  /**
  The cursor of the query log, which is the only one that it takes: LastKey, which each page with a successor gives, or the
  MessageId of the page's last entry, with an empty LastKey.

  @default "lastKey"
  */
  queryCursor?: "lastKey" | "messageId";
  /** Whether the query log is activated; otherwise it answers 403 ServiceNotEnable. @default true */
  lumaEnabled?: boolean;
  /** @default "emulator-id" */
  accessKeyId?: string;
  /** @default "emulator-secret" */
  accessKeySecret?: string;
  /** The account of these keys, of the answer of GetCallerIdentity and of the chat logs. @default "1000000000000001" */
  account?: string;
  /** Actions that are answered with 403 Forbidden.RAM; `GetObject` and `ListObjects` with AccessDenied. */
  deny?: string[];
  faults?: Faults;
  /** API calls per second; more are answered with Throttling.User. Downloads do not count. @default no limit */
  quota?: number;
  /** The delay before every answer. @default 0 */
  latencyMs?: number;
  /** @default 3600 */
  linkTtlSeconds?: number;
  /** The approximate size of every generated call log, for benchmarks. */
  documentBytes?: number;
  /** @default the real clock */
  now?: () => Date;
  /** Receives a line per request: method, path, status. */
  log?: (line: string) => void;
}

export interface Emulator extends CallRecords {
  /** The address of the API and the object store. */
  url: string;
  /** What a request that asks it is signed with. */
  keys: { accessKeyId: string; accessKeySecret: string };
  agents: string[];
  /** All instance ids: the corpus with the oldest first, then the data folder, then added calls. */
  ids(): Generator<string>;
  /** The exact bytes of a call log. */
  callLog(id: string): Uint8Array | undefined;
  /** May be changed while running. */
  faults: Faults;
  stats: Stats;
  /** Adds a hand-made call and returns its id. */
  add(call: CallOptions): string;
  /** Ends an open call. */
  finish(id: string): void;
  /** The chat logs as QueryEvent returns them, in the order in which they were received; also those that have expired. */
  chatEvents(): Generator<CloudEvent>;
  /** Adds an event to the event bus and returns its id. */
  addChatEvent(event: ChatEventOptions): string;
  /** The address of the certificate that deliveries to HTTP targets are signed with. */
  certificateUrl: string;
  /** The headers of a delivery to an HTTP target, signed as EventBridge signs it. */
  signDelivery(delivery: DeliveryOptions): Record<string, string>;
  /** The entries of the query log, oldest first. */
  queryEntries(): Generator<QueryEntry>;
  /** Adds an entry to the query log and returns its MessageId. @throws Error when there is an entry with this id */
  addQuery(query: QueryOptions): string;
  /** Answers a running query, so that its Status is SUCCEEDED. @throws Error when no running query has this MessageId */
  finishQuery(messageId: string): void;
  /** Puts an object into a bucket of the object store, and returns its address, without a signature. */
  putObject(object: ObjectOptions): string;
  /** A signed link to an object. @param seconds until it expires; negative: it has expired. @default linkTtlSeconds */
  objectLink(bucket: string, key: string, seconds?: number): string;
  /** The address of a bucket. Buckets are addressed by path. */
  bucketUrl(bucket: string): string;
  /** Stops the server and closes its connections. */
  close(): Promise<void>;
}

/** Starts the cloud on loopback. Rejects when the port is taken or the data folder cannot be read. */
export const startEmulator = async (options: EmulatorOptions = {}): Promise<Emulator> => {
  const { seed = 1, open = 0, calls = 200, agents = 3, now = () => new Date() } = options;
  const { accessKeyId = "emulator-id", accessKeySecret = "emulator-secret" } = options;
  const { from = new Date("2025-07-14T00:00:00Z"), to = new Date("2025-07-21T00:00:00Z") } = options;
  const keys = { accessKeyId, accessKeySecret };
  const stats: Stats = { requests: {}, errors: {} };
  const dice = new Dice({ ...options.faults }, seed);
  let url = "";

  const corpus = createCorpus({ calls, agents, seed, from, to, open, documentBytes: options.documentBytes });
  const directory = createDirectory(corpus, seed, to);
  if (options.data !== undefined) directory.load(options.data);
  const { linkTtlSeconds = 3600, deny = [], latencyMs = 0, account = "1000000000000001", log } = options;
  const links = createLinks(keys, now);
  const store = createStore({ links, directory, linkTtlSeconds, origin: () => url });
  const objects = createObjects({ keys, links, dice, linkTtlSeconds, deny, now, origin: () => url });
  const corpusOf = { seed, from, to, account, now };
  const chats = createChats({ ...corpusOf, chats: options.chats ?? 0, traceDays: options.traceDays });
  const { runningQueries: running = 0, queryOrder: order = "newest" } = options;
  const queries = createQueries({ ...corpusOf, queries: options.queries ?? 0, running, order });
  const { lumaEnabled = true, queryCursor = "lastKey" } = options;
  const records = createCallRecords({ ...options, ...corpusOf, corpus, directory, objects, linkTtlSeconds });
  const { sessions, dialogues } = records;
  const ice = createIce({ directory, store, sessions, dialogues, dice, end: to });
  const eventBridge = createEventBridge({ chats, queries, dice, lumaEnabled, queryCursor });
  const rpc = createRpc([ice, createSts(account), eventBridge, ...records.products], deny);
  const check = signatureCheck(keys, now);
  const admit = options.quota === undefined ? () => true : createQuota(options.quota, now);
  const deliveries = createDeliveries(() => url, now);
  const requests = { rpc, store, objects, deliveries, check, admit };
  const server = createEmulatorServer({ ...requests, dice, stats, seed, latencyMs, now, log });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    keys: { ...keys },
    agents: [...corpus.agents],
    ids: directory.ids,
    callLog: (id) => directory.find(id)?.log().bytes,
    get faults() {
      return dice.faults;
    },
    set faults(faults) {
      dice.faults = faults;
    },
    stats,
    add: directory.add,
    finish: directory.finish,
    chatEvents: chats.events,
    addChatEvent: chats.add,
    certificateUrl: deliveries.certificateUrl(),
    signDelivery: deliveries.sign,
    queryEntries: queries.entries,
    addQuery: queries.add,
    finishQuery: queries.finish,
    ...records.api,
    putObject: objects.put,
    objectLink: objects.link,
    bucketUrl: (bucket) => `${url}/${bucket}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
