import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../core/errors.ts";
import type { Inbox } from "../../core/inbox.ts";
import { LockLost } from "../../core/lock.ts";
import { createDispatcher } from "../../http/agent.ts";
import { archiveOf } from "../archive.ts";
import type { AppContext } from "../context.ts";
import { ArchiveBusy } from "../errors.ts";
import { takeLock } from "../locking.ts";
import { connectMedia } from "../media/cloud.ts";
import { mediaFolder } from "../media/folder.ts";
import type { ReceiveRequest } from "../record-requests.ts";
import { startFacts } from "../run-start.ts";
import { VERSION } from "../version.ts";
import { type AudioDownloads, createAudioDownloads } from "./audio.ts";
import { callbackDeliveries } from "./callback-deliveries.ts";
import { createCertificates } from "./certificates.ts";
import type { Deliveries } from "./deliveries.ts";
import { eventDeliveries } from "./event-deliveries.ts";
import { drainInbox, inboxOf } from "./inbox.ts";
import { createReceiver, type Receiver } from "./receiver.ts";
import { rulesOf, type ServerSettings, settingsOf } from "./settings.ts";

/** How often a receiver renews its lock, and tries to move records into the archive, in milliseconds. */
const RENEW_MS = 15_000;
const DRAIN_EVERY_MS = 5_000;
/** How often it looks for downloaded audio, whose places the archive should learn, in milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** How long it holds the archive for that, in milliseconds. */
const HOLD_MS = 1_000;

/** The server that the caller provides: reads requests and gives them to the receiver. */
export interface Server {
  /** Where it listens, without a path. */
  origin: string;
  /** Accepts nothing more, and resolves when the running requests are answered; `ending` ends them. */
  close(ending: AbortSignal): Promise<void>;
}
/** @param routes what is delivered to which path */
export type Listen = (
  settings: ServerSettings,
  routes: ReadonlyMap<string, Deliveries>,
  receiver: Receiver,
) => Promise<Server>;

export interface ReceiveRun extends ReturnType<Receiver["counts"]> {
  /** Audio of callbacks; absent if there are none, or it is not wanted. */
  audio?: AudioDownloads["counts"];
  /** Records that wait in the inbox. */
  waiting: number;
  ms: number;
}

/**
Receives until `closing`, then answers the running requests and moves what it has stored into the archive, if no other run
holds it.

@throws ArchiveBusy when another receiver has the inbox, UsageError, LockLost
*/
export const runReceive = async (request: ReceiveRequest, context: AppContext, listen: Listen): Promise<ReceiveRun> => {
  const { host, log, ending } = context;
  const settings = settingsOf(request, context);
  const startedAt = host.now();
  const { archive, tlsKey: _, keys: _k, allowHost: _a, ...facts } = request;
  log("info", "start", { version: VERSION, command: "receive", ...startFacts({ ...facts }, archive, undefined) });
  // Before the first event: an archive that cannot be opened is an error now.
  await (await archiveOf(request, context, true)).close();
  const inbox = await inboxOf(archive, host, true);
  if (!inbox) throw new Error("Internal error: no inbox was made.");
  const lost = new AbortController();
  const closing = AbortSignal.any([context.closing, lost.signal]);
  const media =
    settings.callbackToken === undefined || request.media === false
      ? undefined
      : await connectMedia(request, { ...context, mayLackKeys: true });
  const audio =
    media &&
    createAudioDownloads({
      cloud: media,
      folder: mediaFolder(archive, host),
      maxBytes: request.maxMediaSize,
      concurrency: request.concurrency,
      now: host.now,
      log,
    });
  const dispatcher = createDispatcher({ env: host.env, connections: 4, connectTimeoutMs: 5_000 });
  try {
    await takeLock(inbox.acquire, context, 0, (holder) => new ArchiveBusy(holder, ONE_ONLY, "Another receiver runs"));
    const renewal = setInterval(
      () =>
        void inbox.renew().catch((error: unknown) => {
          if (error instanceof LockLost) lost.abort(error);
        }),
      RENEW_MS,
    );
    try {
      const certificates = createCertificates(dispatcher, host.now, ending);
      let own = "";
      const routes = new Map<string, Deliveries>();
      if (settings.takesEvents) {
        const rules = rulesOf(request, () => own, settings.token);
        routes.set(request.path, eventDeliveries(certificates, rules, host.now));
      }
      if (settings.callbackToken !== undefined)
        routes.set(request.callbackPath, callbackDeliveries(settings.callbackToken, audio?.want));
      const receiver = createReceiver(inbox, audio, { log, now: host.now });
      const server = await listen(settings.server, routes, receiver);
      own = server.origin + request.path;
      if (settings.takesEvents) log("info", "receiving", { what: "events", url: own });
      if (settings.callbackToken !== undefined)
        log("info", "receiving", { what: "callbacks", url: server.origin + request.callbackPath });
      for (const message of settings.warnings) log("warn", "exposed", { message });
      await drainUntil(closing, inbox, audio, request, context);
      await server.close(ending);
      await audio?.stop();
      if (lost.signal.aborted) throw lost.signal.reason;
      await drain(inbox, audio, request, context);
      const { records } = await inbox.standing();
      return {
        ...receiver.counts(),
        ...(audio && { audio: audio.counts }),
        waiting: records,
        ms: host.now().getTime() - startedAt.getTime(),
      };
    } finally {
      clearInterval(renewal);
      await inbox.release().catch(() => undefined);
    }
  } finally {
    await audio?.stop();
    await media?.close();
    await inbox.close();
    await dispatcher.close();
  }
};

const ONE_ONLY = "One receiver serves an archive: stop that one first.";

/** Drains from time to time until the signal. */
const drainUntil = async (
  closing: AbortSignal,
  inbox: Inbox,
  audio: AudioDownloads | undefined,
  request: ReceiveRequest,
  context: AppContext,
): Promise<void> => {
  while (!closing.aborted) {
    await drain(inbox, audio, request, context);
    for (let waited = 0; waited < DRAIN_EVERY_MS && !closing.aborted && !audio?.hasResults; waited += LOOK_EVERY_MS)
      await delay(LOOK_EVERY_MS, undefined, { signal: closing }).catch(() => undefined);
  }
};

/** Moves records into the archive for a short time, unless another run holds it. An error is logged: records can wait. */
const drain = async (
  inbox: Inbox,
  audio: AudioDownloads | undefined,
  request: ReceiveRequest,
  context: AppContext,
): Promise<void> => {
  const { host, log } = context;
  try {
    if (!audio && (await inbox.oldest()).length === 0) return;
    const archive = await archiveOf(request, context, true);
    try {
      await takeLock(archive.acquire, context, 0);
      try {
        const until = host.now().getTime() + HOLD_MS;
        const { clean: _, ...counts } = await drainInbox(inbox, archive, log, () => host.now().getTime() >= until);
        log("debug", "drained", counts);
        // Only now every record that was received has its files in the archive.
        if ((await inbox.oldest()).length === 0) await audio?.exchange(archive);
      } finally {
        await archive.release();
      }
    } finally {
      await archive.close();
    }
  } catch (error) {
    if (error instanceof ArchiveBusy) return;
    log("error", "not-drained", {
      message: `The records of the inbox could not be moved into the archive: ${messageOf(error)}`,
    });
  }
};
