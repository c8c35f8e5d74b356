import { Worker } from "node:worker_threads";
import type { Renderer } from "../../core/export.ts";
import { toStoredConversation } from "../../core/raw-conversation.ts";
import { type RenderedBatch, type RenderOptions, renderBatch } from "../../core/render-batch.ts";
import type { AppContext, Host } from "../context.ts";
import { type Bundle, decodeBundle, encodeBundle } from "./bundle.ts";
import { type RenderPlan, renderingOf } from "./plan.ts";

/** New objects of a thread: room for a bundle's. What is left to V8 takes three times as much. */
const YOUNG_MB = 24;

type AlreadyDelivered = Parameters<Renderer["render"]>[1];

/** Fewer calls are written before a thread has started. */
const WORTH_THREADS = 2_000;
/** More than this many wait for the one that reads the archive. */
const MOST_THREADS = 4;

/**
How many threads a run wants by itself.

On two cores threads save a quarter of the time, but a run would no longer fit into 200 MB: there they are asked for.
*/
export const threadsFor = (calls: number, { cores }: Host): number =>
  calls < WORTH_THREADS || cores < 3 ? 0 : Math.min(cores - 1, MOST_THREADS);

/** To a thread. */
export interface RenderRequest {
  number: number;
  bundle: Bundle;
  had: AlreadyDelivered;
}

/** And back; `long` is a bundle with text in it that only the thread that writes can make. */
export type RenderReply =
  | { number: number; rendered: RenderedBatch }
  | { number: number; long: Bundle }
  | { number: number; error: unknown };

interface PendingRender {
  resolve: (rendered: RenderedBatch | Bundle) => void;
  reject: (error: unknown) => void;
}

/**
Renders on threads of its own, or with 0 of them on this one. A plan with a command gets none: there is one process, and the
threads would wait for it.

@throws UsageError for kinds that cannot be redacted
*/
export const openRenderer = async (
  plan: RenderPlan,
  threads: number,
  { host, closing }: Pick<AppContext, "closing"> & { host: Pick<Host, "env" | "cwd"> },
): Promise<Renderer & { close(): Promise<void> }> => {
  const all = startThreads(plan, plan.redact.redactCommand === undefined ? threads : 0);
  if (all.length === 0) {
    const rendering = await renderingOf(plan, host);
    return {
      render: async (records, had) => {
        const stored = records.map(toStoredConversation);
        await rendering.prepare?.(stored, closing);
        return renderBatch(stored, had, rendering);
      },
      ahead: 0,
      close: rendering.close,
    };
  }
  let next = 0;
  let here: Promise<RenderOptions> | undefined;
  return {
    // In turns: bundles are much of a size, and leave in the order in which they came.
    render: async (records, had) => {
      const done = await (all[next++ % all.length] as Thread).render(encodeBundle(records), had);
      if ("outputs" in done) return done;
      here ??= renderingOf(plan);
      return renderBatch(decodeBundle(done), had, await here);
    },
    ahead: all.length,
    close: async () => void (await Promise.all(all.map((thread) => thread.close()))),
  };
};

type Thread = ReturnType<typeof startThread>;

/** As many as the system grants. */
const startThreads = (plan: RenderPlan, wanted: number): Thread[] => {
  const all: Thread[] = [];
  try {
    while (all.length < wanted) all.push(startThread(plan));
  } catch {
    // A limit on processes, mostly: there may be fewer, or none.
  }
  return all;
};

const startThread = (plan: RenderPlan) => {
  const worker = new Worker(new URL("./thread.js", import.meta.url), {
    workerData: plan,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  const waiting = new Map<number, PendingRender>();
  let failure: unknown;
  let count = 0;
  const fail = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  worker.on("message", (told: RenderReply) => {
    const asked = waiting.get(told.number);
    waiting.delete(told.number);
    if ("error" in told) asked?.reject(told.error);
    else asked?.resolve("long" in told ? told.long : told.rendered);
  });
  worker.on("error", fail);
  worker.on("messageerror", fail);
  worker.on("exit", () => fail(new Error("A thread that renders has ended.")));
  return {
    render: (bundle: Bundle, had: AlreadyDelivered): Promise<RenderedBatch | Bundle> =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        const number = count++;
        waiting.set(number, { resolve, reject });
        worker.postMessage({ number, bundle, had } satisfies RenderRequest, [bundle.bytes.buffer]);
      }),
    close: () => worker.terminate(),
  };
};
