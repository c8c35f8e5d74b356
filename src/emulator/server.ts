import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, breakdowns, json, jsonErrors, type Refuse, xmlErrors } from "./answer.ts";
import { ApiError } from "./api-error.ts";
import { CERTIFICATE_PATH, type Deliveries } from "./deliveries.ts";
import type { Dice } from "./faults.ts";
import type { Objects } from "./objects.ts";
import { Random } from "./random.ts";
import type { Rpc } from "./rpc.ts";
import { sendPieces } from "./send-pieces.ts";
import type { SignedRequest } from "./signature.ts";
import type { Store } from "./store.ts";

const SLOW_MS = 300;
const LARGEST_BODY = 1024 * 1024;
const ORIGIN = "http://localhost";

export interface Stats {
  /** Number of requests by action; "download" is the object store. */
  requests: Record<string, number>;
  /** Number of answers by error code. */
  errors: Record<string, number>;
}

export interface ServerOptions {
  rpc: Rpc;
  store: Store;
  objects: Objects;
  deliveries: Pick<Deliveries, "certificate">;
  dice: Dice;
  check: (request: SignedRequest) => void;
  stats: Stats;
  seed: number;
  latencyMs: number;
  /** Whether the account may make one more API call now. */
  admit: () => boolean;
  now: () => Date;
  log?: ((line: string) => void) | undefined;
}

const count = (tally: Record<string, number>, name: string): void => {
  tally[name] = (tally[name] ?? 0) + 1;
};

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new ApiError(413, "RequestEntityTooLarge", "The request body is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** The path as it was sent: URL removes the dots of a key like `a/../b`. */
const sentPath = ({ url = "/" }: IncomingMessage): string => url.split("?", 1)[0] ?? "/";

/** Routes requests to the API or the object store, and applies faults. */
export const createEmulatorServer = (options: ServerOptions): Server => {
  const { rpc, store, objects, deliveries, dice, check, stats, latencyMs, admit, now, log } = options;
  const requestIds = new Random(options.seed, 0, 0x1d);
  const nextId = (): string => requestIds.uuid().toUpperCase();

  const throttled = (refuse: Refuse): Answer => {
    const answer = refuse(
      dice.turn([400, 429, 503]),
      "Throttling.User",
      "Request was denied due to user flow control.",
    );
    if (answer.status === 503) answer.headers["retry-after"] = "1";
    return answer;
  };
  const broken = (refuse: Refuse): Answer => dice.turn(breakdowns)(refuse);

  const api = async (request: IncomingMessage, url: URL, requestId: string, refuse: Refuse): Promise<Answer> => {
    const { headers } = request;
    try {
      const body = await bodyOf(request);
      const action = String(headers["x-acs-action"] ?? "");
      if (rpc.knows(action)) count(stats.requests, action);
      check({ method: "POST", path: url.pathname, query: url.searchParams, headers, body });
      const isMetered = rpc.isMetered(action);
      if (isMetered && (!admit() || dice.roll("throttle"))) return throttled(refuse);
      if (isMetered && dice.roll("error")) return broken(refuse);
      const parameters = new URLSearchParams(url.searchParams);
      const isForm = headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
      if (isForm) for (const [name, value] of new URLSearchParams(body.toString())) parameters.append(name, value);
      const result = rpc.run(action, String(headers["x-acs-version"] ?? ""), parameters);
      return json(200, { RequestId: requestId, ...result }, requestId);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return refuse(error.status, error.code, error.message);
    }
  };

  const download = (request: IncomingMessage, url: URL, requestId: string, refuse: Refuse): Answer => {
    request.resume();
    count(stats.requests, "download");
    if (dice.roll("error")) return broken(refuse);
    const acceptsGzip = request.headers["accept-encoding"]?.includes("gzip") ?? false;
    return store.get(url.pathname, url.searchParams, acceptsGzip, requestId, refuse);
  };

  const object = (request: IncomingMessage, url: URL, requestId: string, refuse: Refuse): Answer => {
    request.resume();
    count(stats.requests, "download");
    const { method = "GET", headers } = request;
    return objects.answer({ method, path: sentPath(request), query: url.search.slice(1), headers }, requestId, refuse);
  };

  const answerTo = async (request: IncomingMessage, url: URL): Promise<Answer> => {
    const requestId = nextId();
    const host = request.headers.host ?? "";
    if (request.method === "POST" && url.pathname === "/")
      return api(request, url, requestId, jsonErrors(requestId, host));
    if (request.method === "GET" && url.pathname === CERTIFICATE_PATH)
      return { status: 200, headers: {}, body: deliveries.certificate() };
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (isRead && objects.claims(sentPath(request), request.headers))
      return object(request, url, requestId, xmlErrors(requestId, host));
    if (request.method === "GET") return download(request, url, requestId, xmlErrors(requestId, host));
    request.resume();
    return jsonErrors(requestId, host)(405, "UnsupportedHTTPMethod", "Use POST / or GET a link.");
  };

  const send = (response: ServerResponse, answer: Answer, isDownload: boolean): void => {
    const { socket } = response;
    if (!socket || socket.destroyed) return;
    const body = typeof answer.body === "string" ? Buffer.from(answer.body) : answer.body;
    const half = body.subarray(0, body.length >> 1);
    const reset = dice.roll("reset");
    if (reset && dice.turn([true, false])) {
      socket.resetAndDestroy();
      return;
    }
    if (answer.pieces) {
      response.setHeader("date", now().toUTCString());
      const cut = !reset && dice.roll("cut");
      sendPieces(response, answer, reset ? "reset" : cut ? "cut" : undefined, dice);
      return;
    }
    // The store sends gzip in chunks, without a length.
    if (answer.headers["content-encoding"] !== "gzip" || answer.headers["content-length"] !== undefined)
      response.setHeader("content-length", body.length);
    response.setHeader("date", now().toUTCString());
    response.writeHead(answer.status, answer.headers);
    if (reset) response.write(half, () => socket.resetAndDestroy());
    else if (isDownload && answer.status === 200 && dice.roll("cut")) response.write(half, () => socket.end());
    else response.end(body);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", ORIGIN);
    if (log) response.once("close", () => log(`${request.method} ${url.pathname} ${outcome(response)}`));
    if (dice.roll("down")) {
      request.socket.destroy();
      return;
    }
    const answer = await answerTo(request, url);
    if (answer.code !== undefined) count(stats.errors, answer.code);
    const delay = latencyMs + (dice.roll("slow") ? SLOW_MS : 0);
    if (delay > 0) await sleep(delay, undefined, { ref: false });
    send(response, answer, request.method === "GET");
  };

  return createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
};

const outcome = (response: ServerResponse): string => {
  const range = response.getHeader("content-range");
  const status = range === undefined ? String(response.statusCode) : `${response.statusCode} ${range}`;
  if (response.writableFinished) return status;
  return response.headersSent ? `${status} (cut off)` : "- (no answer)";
};
