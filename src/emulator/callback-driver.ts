import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { arrange, type Delivery } from "./callback-order.ts";
import type { CallbackBody } from "./callbacks.ts";

/** An answer to a delivery. */
export interface CallbackAnswer {
  /** The requestId of the callback. */
  key: string;
  event: string;
  /** The HTTP status; 0 when the connection failed. */
  status: number;
}

export interface DeliverOptions {
  /** The calls whose callbacks are delivered. @default all */
  ids?: Iterable<string>;
  /** Only the first calls. @default all of `ids` */
  count?: number;
  /** Where they are posted to; http only. */
  url: string;
  /** Sent in the Authorization header. @default none */
  token?: string;
  /** How the token is written: as it is, or after "Bearer ". @default "plain" */
  header?: "plain" | "bearer";
  /** The callbacks of a call one after the other, or those of all calls shuffled. @default "natural" */
  order?: "natural" | "shuffled";
  /** How often each callback is delivered, not twice in a row. @default 1 */
  repeat?: number;
  /** Whether some of the chat_record of a call come after its agent_stop. @default false */
  late?: boolean;
  /** Deliveries at the same time. @default 8 */
  concurrency?: number;
  /** At most so many deliveries begin per second. @default no limit */
  perSecond?: number;
  /** The seed of the order. @default that of the emulator */
  seed?: number;
  /** Receives every answer, also those after which the delivery is tried again. */
  onAnswer?: (answer: CallbackAnswer) => void;
  /** Ends the deliveries; what was acknowledged until then is the result. */
  signal?: AbortSignal;
}

export interface DeliverResult {
  /** The requestIds of the callbacks that were acknowledged (2xx) at least once. */
  acknowledged: Set<string>;
  /** Number of acknowledged deliveries, repeated ones included. */
  deliveries: number;
  /** Number of deliveries that were tried again: after 503, or after a failed connection. */
  retries: number;
  /** Number of answers that are neither 2xx nor 503, by status. They are not tried again. */
  refused: Record<number, number>;
}

const TIMEOUT_MS = 30_000;
const FIRST_DELAY_MS = 20;
const LONGEST_DELAY_MS = 500;

/** Posts a body. @returns the status, as soon as it is known; 0 when there was none */
const post = (url: string, agent: Agent, headers: Record<string, string>, body: string): Promise<number> =>
  new Promise((resolve) => {
    const length = String(Buffer.byteLength(body));
    const outgoing = request(url, { agent, method: "POST", headers: { ...headers, "content-length": length } });
    outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy());
    outgoing.once("response", (response) => {
      response.on("error", () => {});
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on("error", () => resolve(0));
    outgoing.once("close", () => resolve(0));
    outgoing.end(body);
  });

/** Resolves at the time of each delivery's turn. */
const pace = (perSecond: number | undefined): ((signal: AbortSignal) => Promise<void>) => {
  const startedAt = performance.now();
  let begun = 0;
  return async (signal) => {
    if (perSecond === undefined) return;
    const wait = startedAt + (begun++ * 1000) / perSecond - performance.now();
    if (wait > 1) await sleep(wait, undefined, { signal });
  };
};

/** Posts the callbacks of calls, each until it is acknowledged or refused. Rejects only with an error of `onAnswer`. */
export const createDriver =
  (callbacksOf: (id: string) => CallbackBody[], allIds: () => Iterable<string>, ownSeed: number) =>
  async (options: DeliverOptions): Promise<DeliverResult> => {
    const { url, token, header = "plain", concurrency = 8, onAnswer, count = Number.POSITIVE_INFINITY } = options;
    const { order = "natural", repeat = 1, late = false, seed = ownSeed } = options;
    const { signal = new AbortController().signal } = options;
    const authorization = token === undefined ? undefined : header === "bearer" ? `Bearer ${token}` : token;
    const headers = { "content-type": "application/json", ...(authorization !== undefined && { authorization }) };
    const result: DeliverResult = { acknowledged: new Set(), deliveries: 0, retries: 0, refused: {} };
    const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
    const turn = pace(options.perSecond);
    const stop = (): void => agent.destroy();

    const calls: Delivery[][] = [];
    for (const id of options.ids ?? allIds()) {
      if (calls.length >= count) break;
      const deliveries = callbacksOf(id).map((body) => {
        const { requestId: key, event } = body;
        return { key, event, body: JSON.stringify(body) };
      });
      calls.push(deliveries);
    }
    const lanes = arrange(calls, { order, repeat, late, seed }).values();

    const deliver = async ({ key, event, body }: Delivery): Promise<void> => {
      await turn(signal);
      for (let delay = FIRST_DELAY_MS; !signal.aborted; delay = Math.min(delay * 2, LONGEST_DELAY_MS)) {
        const status = await post(url, agent, headers, body);
        onAnswer?.({ key, event, status });
        if (status >= 200 && status < 300) {
          result.acknowledged.add(key);
          result.deliveries++;
          return;
        }
        if (status !== 0 && status !== 503) {
          result.refused[status] = (result.refused[status] ?? 0) + 1;
          return;
        }
        result.retries++;
        await sleep(delay, undefined, { signal });
      }
    };
    const work = async (): Promise<void> => {
      for (const lane of lanes)
        for (const delivery of lane) {
          if (signal.aborted) return;
          await deliver(delivery);
        }
    };

    signal.addEventListener("abort", stop, { once: true });
    const workers = Array.from({ length: concurrency }, () =>
      work().catch((error: unknown) => {
        if (!signal.aborted) throw error;
      }),
    );
    await Promise.all(workers).finally(() => {
      signal.removeEventListener("abort", stop);
      agent.destroy();
    });
    return result;
  };
