import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type Deliveries, type Reason, Refusal } from "../../app/receive/deliveries.ts";
import type { Listen } from "../../app/receive/receive.ts";
import type { Receiver } from "../../app/receive/receiver.ts";
import { hostInUrl, type ServerSettings } from "../../app/receive/settings.ts";

/** Bytes of a body. */
const MOST_BYTES = 1024 * 1024;
/** Bytes of all bodies that are read or wait for their commit. */
const MOST_BYTES_HELD = 32 * 1024 * 1024;
const MOST_CONNECTIONS = 1_000;
const MOST_HEADER_BYTES = 16 * 1024;
/** The longest time for headers, and between two requests of a connection, in milliseconds. */
const HEADERS_MS = 10_000;
const IDLE_MS = 60_000;
/** When a sender should try again, in seconds. */
const RETRY_AFTER = 5;

const JSON_TYPES = new Set(["application/json", "application/cloudevents+json", "application/cloudevents-batch+json"]);

const STATUS = {
  "not-json": 400,
  "no-event": 400,
  "no-callback": 400,
  unsigned: 401,
  token: 401,
  time: 401,
  "certificate-host": 401,
  signature: 401,
  path: 404,
  method: 405,
  size: 413,
  type: 415,
  "queue-full": 503,
  memory: 503,
  "no-certificate": 503,
  storage: 503,
} satisfies Record<Reason, number>;

const METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Serves a receiver over HTTP. @throws Error when the address cannot be used */
export const listen: Listen = async (settings, routes, receiver) => {
  const handler = handlerOf(routes, receiver);
  const server = serverOf(settings, (request, response) => {
    // Once it stops, connections end with their running request.
    if (!server.listening) response.setHeader("connection", "close");
    handler(request, response);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.keepAliveTimeout = IDLE_MS;
  // Also ends connections that never send anything.
  server.timeout = Math.max(IDLE_MS, settings.requestTimeoutMs);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, settings.host, resolve);
  });
  // A connection that cannot be accepted, for example without a free descriptor, is the sender's to repeat.
  server.on("error", () => undefined);
  const { port } = server.address() as AddressInfo;
  const host = hostInUrl(settings.host);
  return {
    origin: `${settings.tls ? "https" : "http"}://${host}:${port}`,
    close: (ending) =>
      new Promise((resolve) => {
        const endAll = (): void => server.closeAllConnections();
        ending.addEventListener("abort", endAll, { once: true });
        server.close(() => {
          ending.removeEventListener("abort", endAll);
          resolve();
        });
        if (ending.aborted) endAll();
      }),
  };
};

const serverOf = ({ tls, requestTimeoutMs }: ServerSettings, handler: RequestListener): Server => {
  const limits = {
    headersTimeout: Math.min(HEADERS_MS, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs),
    maxHeaderSize: MOST_HEADER_BYTES,
  };
  if (!tls) return createServer(limits, handler);
  return createSecureServer({ ...limits, ...tls, minVersion: "TLSv1.2", handshakeTimeout: HEADERS_MS }, handler);
};

const handlerOf = (routes: ReadonlyMap<string, Deliveries>, receiver: Receiver): RequestListener => {
  let held = 0;

  const bodyOf = async (request: IncomingMessage, hold: (bytes: number) => void): Promise<Buffer> => {
    if (Number(request.headers["content-length"] ?? 0) > MOST_BYTES) throw new Refusal("size");
    const pieces: Buffer[] = [];
    let length = 0;
    // Not destroyed when this ends early: the sender is answered first.
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > MOST_BYTES) throw new Refusal("size");
      hold(piece.length);
      pieces.push(piece);
    }
    return Buffer.concat(pieces, length);
  };

  const receive = async (request: IncomingMessage, deliveries: Deliveries): Promise<void> => {
    const { headers, method } = request;
    if (method !== "POST") throw new Refusal("method");
    const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "";
    if (!JSON_TYPES.has(type) || (headers["content-encoding"] ?? "identity") !== "identity") throw new Refusal("type");
    deliveries.checkHeaders(headers);
    let own = 0;
    try {
      const body = await bodyOf(request, (bytes) => {
        own += bytes;
        held += bytes;
        if (held > MOST_BYTES_HELD) throw new Refusal("memory");
      });
      await receiver.receive(deliveries, headers, body);
    } finally {
      held -= own;
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [target = ""] = (request.url ?? "").split("?");
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (target === "/healthz" && isRead) return send(response, (await receiver.canStore()) ? 200 : 503);
    if (target === "/metrics" && isRead) {
      response.setHeader("content-type", METRICS_TYPE);
      return send(response, 200, await receiver.metrics());
    }
    const deliveries = routes.get(target);
    if (!deliveries) throw new Refusal("path");
    await receive(request, deliveries);
    return send(response, 200);
  };

  return (request, response) => {
    request.on("error", () => undefined);
    answer(request, response).catch((error: unknown) => {
      // The sender is gone, or too slow: there is nobody to answer.
      if (request.socket.destroyed) return;
      const refusal = error instanceof Refusal ? error : new Refusal("storage", { cause: error });
      receiver.refused(refusal);
      const status = STATUS[refusal.reason];
      if (status === 405) response.setHeader("allow", "POST");
      if (status === 503) response.setHeader("retry-after", RETRY_AFTER);
      // What is left of the body is not read.
      if (!request.complete) response.setHeader("connection", "close");
      send(response, status);
    });
  };
};

const send = (response: ServerResponse, status: number, body = ""): void => {
  response.statusCode = status;
  response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
};
