import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, UsageError } from "../../core/errors.ts";
import type { Inbox } from "../../core/inbox.ts";
import { LockLost } from "../../core/lock.ts";
import { createDispatcher } from "../../http/agent.ts";
import { isLoopback } from "../../http/hosts.ts";
import { archiveOf } from "../archive.ts";
import type { AppContext } from "../context.ts";
import { ArchiveBusy } from "../errors.ts";
import { takeLock } from "../locking.ts";
import type { ReceiveRequest } from "../record-requests.ts";
import { startFacts } from "../run-start.ts";
import { VERSION } from "../version.ts";
import { callbackDeliveries } from "./callback-deliveries.ts";
import { createCertificates } from "./certificates.ts";
import type { Deliveries } from "./deliveries.ts";
import { eventDeliveries, type Rules } from "./event-deliveries.ts";
import { drainInbox, inboxOf } from "./inbox.ts";
import { createReceiver, type Receiver } from "./receiver.ts";

/** How often a receiver renews its lock, and tries to move records into the archive, in milliseconds. */
const RENEW_MS = 15_000;
const DRAIN_EVERY_MS = 5_000;
/** How long it holds the archive for that, in milliseconds. */
const HOLD_MS = 1_000;

/** The server that the caller provides: reads requests and gives them to the receiver. */
export interface ServerSettings {
  host: string;
  port: number;
  tls?: { cert: Buffer; key: Buffer };
  requestTimeoutMs: number;
}
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
  const { archive, tlsKey: _, ...facts } = request;
  log("info", "start", { version: VERSION, command: "receive", ...startFacts({ ...facts }, archive, undefined) });
  // Before the first event: an archive that cannot be opened is an error now.
  await (await archiveOf(request, context, true)).close();
  const inbox = await inboxOf(archive, host, true);
  if (!inbox) throw new Error("Internal error: no inbox was made.");
  const lost = new AbortController();
  const closing = AbortSignal.any([context.closing, lost.signal]);
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
        routes.set(
          request.callbackPath,
          callbackDeliveries(settings.callbackToken, () => undefined),
        );
      const receiver = createReceiver(inbox, { log, now: host.now });
      const server = await listen(settings.server, routes, receiver);
      own = server.origin + request.path;
      if (settings.takesEvents) log("info", "receiving", { what: "events", url: own });
      if (settings.callbackToken !== undefined)
        log("info", "receiving", { what: "callbacks", url: server.origin + request.callbackPath });
      for (const message of settings.warnings) log("warn", "exposed", { message });
      await drainUntil(closing, inbox, request, context);
      await server.close(ending);
      if (lost.signal.aborted) throw lost.signal.reason;
      await drain(inbox, request, context);
      const { records } = await inbox.standing();
      return { ...receiver.counts(), waiting: records, ms: host.now().getTime() - startedAt.getTime() };
    } finally {
      clearInterval(renewal);
      await inbox.release().catch(() => undefined);
    }
  } finally {
    await inbox.close();
    await dispatcher.close();
  }
};

const ONE_ONLY = "One receiver serves an archive: stop that one first.";

/** Drains from time to time until the signal. */
const drainUntil = async (
  closing: AbortSignal,
  inbox: Inbox,
  request: ReceiveRequest,
  context: AppContext,
): Promise<void> => {
  while (!closing.aborted) {
    await delay(DRAIN_EVERY_MS, undefined, { signal: closing }).catch(() => undefined);
    if (!closing.aborted) await drain(inbox, request, context);
  }
};

/** Moves records into the archive for a short time, unless another run holds it. An error is logged: records can wait. */
const drain = async (inbox: Inbox, request: ReceiveRequest, context: AppContext): Promise<void> => {
  const { host, log } = context;
  try {
    if ((await inbox.oldest()).length === 0) return;
    const archive = await archiveOf(request, context, true);
    try {
      await takeLock(archive.acquire, context, 0);
      try {
        const until = host.now().getTime() + HOLD_MS;
        const { clean: _, ...counts } = await drainInbox(inbox, archive, log, () => host.now().getTime() >= until);
        log("debug", "drained", counts);
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

/** A host as it stands in a URL: an IPv6 address in brackets. */
export const hostInUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** Checks the request, and reads its files. @throws UsageError */
const settingsOf = (request: ReceiveRequest, { host }: AppContext) => {
  const {
    path,
    callbackPath,
    tlsCert,
    tlsKey,
    publicUrl,
    certificateUrl,
    insecureNoSignature = false,
    requestTimeout,
  } = request;
  const address = `http://${hostInUrl(request.host)}`;
  if (!URL.canParse(address)) throw new UsageError(`--host ${request.host} is not a host.`);
  const local = isLoopback(new URL(address));
  for (const [flag, each] of [
    ["--path", path],
    ["--callback-path", callbackPath],
  ] as const)
    if (!/^\/[\w./-]*$/.test(each) || each === "/healthz" || each === "/metrics")
      throw new UsageError(`${flag} begins with / and has letters, digits and . _ - / only; not /healthz or /metrics.`);
  if (path === callbackPath) throw new UsageError("--path and --callback-path must differ.");
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new UsageError("--tls-cert and --tls-key go together.");
  const token = tokenOf(request.tokenFile, "CALLARCHIVE_RECEIVE_TOKEN", host);
  const callbackToken = tokenOf(request.callbackTokenFile, "CALLARCHIVE_CALLBACK_TOKEN", host);
  // Who names only the token of callbacks wants no events.
  const takesEvents =
    callbackToken === undefined || token !== undefined || publicUrl !== undefined || certificateUrl !== undefined;
  if (insecureNoSignature && !(local && token !== undefined))
    throw new UsageError("--insecure-no-signature needs a token, and a --host on loopback.");
  if (takesEvents && !insecureNoSignature && !local && publicUrl === undefined)
    throw new UsageError("--public-url is missing: the address that EventBridge posts to, which its signature covers.");
  if (publicUrl !== undefined && !/^https?:\/\/[^\s#@]+$/.test(publicUrl))
    throw new UsageError("--public-url is the http or https address as it stands in the HTTP target of EventBridge.");
  if (certificateUrl !== undefined && !(local && URL.canParse(certificateUrl) && isLoopback(new URL(certificateUrl))))
    throw new UsageError("--certificate-url is for tests: it and --host must be on loopback.");
  const read = (file: string): Buffer => readSetting(file, host.cwd);
  const tls = tlsCert !== undefined && tlsKey !== undefined ? { cert: read(tlsCert), key: read(tlsKey) } : undefined;
  const server: ServerSettings = {
    host: request.host,
    port: request.port,
    requestTimeoutMs: requestTimeout * 1000,
    ...(tls && { tls }),
  };
  const warnings = [
    takesEvents &&
      token === undefined &&
      "There is no token: any account of EventBridge can deliver to this address. Set one in the HTTP target, and name it with --token-file.",
    !local && !tls && "This address is not on loopback and has no TLS: conversations travel unencrypted up to here.",
  ].filter((text) => text !== false);
  return { server, token, callbackToken, takesEvents, warnings };
};

const readSetting = (file: string, cwd: string): Buffer => {
  try {
    return readFileSync(resolve(cwd, file));
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${messageOf(error)}.`);
  }
};

/** @throws UsageError */
const tokenOf = (
  tokenFile: string | undefined,
  variable: "CALLARCHIVE_RECEIVE_TOKEN" | "CALLARCHIVE_CALLBACK_TOKEN",
  { cwd, env }: AppContext["host"],
): string | undefined => {
  const text = tokenFile === undefined ? env[variable] : readSetting(tokenFile, cwd).toString();
  const token = text?.trim();
  if (tokenFile !== undefined && token === "") throw new UsageError(`The token in ${tokenFile} is empty.`);
  // Else it would never be equal to what a header carries.
  if (token && !/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(token))
    throw new UsageError(
      "The token has characters that a header cannot carry: use letters, digits and signs of ASCII.",
    );
  return token || undefined;
};

const rulesOf = (
  { publicUrl, insecureNoSignature, chatsRegion, certificateUrl, tokenHeader }: ReceiveRequest,
  ownAddress: () => string,
  token: string | undefined,
): Rules => {
  const officialHost = `${chatsRegion}-eventbridge.oss-accelerate.aliyuncs.com`;
  return {
    address: insecureNoSignature ? undefined : () => publicUrl ?? ownAddress(),
    token: token === undefined ? undefined : { header: tokenHeader.toLowerCase(), value: token },
    mayTrust: (text) => {
      if (certificateUrl !== undefined) return text === certificateUrl;
      if (text.length > 1024 || !URL.canParse(text)) return false;
      const { protocol, host, username, password } = new URL(text);
      return protocol === "https:" && host === officialHost && username === "" && password === "";
    },
  };
};
