import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Emulator } from "../../src/emulator/index.ts";
import { emulators } from "./running.ts";

const start = emulators();

type Body = ReturnType<Emulator["callbacks"]>[number];
interface Delivered {
  body: Body;
  headers: IncomingMessage["headers"];
}
/** Answers the nth request (from 0): a status, or undefined to break the connection. */
type Answer = (n: number, body: Body) => number | undefined;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

const receiver = async (answer: Answer = () => 200) => {
  const delivered: Delivered[] = [];
  const sockets = new Set<unknown>();
  let atOnce = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    sockets.add(request.socket);
    most = Math.max(most, ++atOnce);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
    const status = answer(delivered.length, body);
    delivered.push({ body, headers: request.headers });
    atOnce--;
    if (status === undefined) request.socket.destroy();
    else response.writeHead(status).end("{}");
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callbacks`;
  return { url, delivered, server, sockets, most: () => most };
};

const idsOf = (bodies: readonly Body[]): string[] => bodies.map(({ requestId }) => requestId);
const all = (emulator: Emulator): Body[] => [...emulator.ids()].flatMap((id) => emulator.callbacks(id));

describe("the driver of callbacks", () => {
  test("posts all callbacks of all calls as JSON, over few connections", async () => {
    // Links expire by this clock.
    const emulator = await start({ calls: 12, now: () => new Date("2025-07-21T00:00:00Z") });
    const { url, delivered, sockets, most } = await receiver();
    const result = await emulator.deliverCallbacks({ url, concurrency: 3 });
    const expected = all(emulator);
    expect(result).toEqual({
      acknowledged: new Set(idsOf(expected)),
      deliveries: expected.length,
      retries: 0,
      refused: {},
    });
    expect(delivered.map(({ headers }) => headers["content-type"])).toEqual(expected.map(() => "application/json"));
    expect(new Set(delivered.map(({ headers }) => headers.authorization))).toEqual(new Set([undefined]));
    const byId = new Map(expected.map((body) => [body.requestId, JSON.parse(JSON.stringify(body)) as Body]));
    for (const { body } of delivered) expect(body).toEqual(byId.get(body.requestId));
    expect(sockets.size).toBeLessThanOrEqual(3);
    expect(most()).toBeLessThanOrEqual(3);
  });

  test("delivers each call in order, unless it is shuffled", async () => {
    const emulator = await start({ calls: 6 });
    const [natural, shuffled] = [await receiver(), await receiver()];
    await emulator.deliverCallbacks({ url: natural.url });
    await emulator.deliverCallbacks({ url: shuffled.url, order: "shuffled", concurrency: 1 });
    const order = ({ delivered }: typeof natural, id: string): string[] =>
      idsOf(delivered.map(({ body }) => body).filter(({ instanceId }) => instanceId === id));
    const own = [...emulator.ids()].map((id) => idsOf(emulator.callbacks(id)));
    expect([...emulator.ids()].map((id) => order(natural, id))).toEqual(own);
    expect([...emulator.ids()].map((id) => order(shuffled, id))).not.toEqual(own);
    expect(idsOf(shuffled.delivered.map(({ body }) => body)).sort()).toEqual(own.flat().sort());
  });

  test("the token is sent as it is, or as a bearer token", async () => {
    const emulator = await start({ calls: 1 });
    const { url, delivered } = await receiver();
    await emulator.deliverCallbacks({ url, token: "secret" });
    const count = delivered.length;
    await emulator.deliverCallbacks({ url, token: "secret", header: "bearer" });
    const sent = delivered.map(({ headers }) => headers.authorization);
    expect(new Set(sent.slice(0, count))).toEqual(new Set(["secret"]));
    expect(new Set(sent.slice(count))).toEqual(new Set(["Bearer secret"]));
  });

  test("only some calls, each callback twice", async () => {
    const emulator = await start({ calls: 9 });
    const { url, delivered } = await receiver();
    const ids = [...emulator.ids()].slice(2, 7);
    const result = await emulator.deliverCallbacks({ url, ids, count: 2, repeat: 2, order: "shuffled", late: true });
    const expected = idsOf(ids.slice(0, 2).flatMap((id) => emulator.callbacks(id)));
    expect(idsOf(delivered.map(({ body }) => body)).sort()).toEqual([...expected, ...expected].sort());
    expect(result.acknowledged).toEqual(new Set(expected));
    expect(result.deliveries).toBe(expected.length * 2);
  });

  test("tries again after 503 and broken connections, until each callback is acknowledged", async () => {
    const emulator = await start({ calls: 3 });
    const answers = [503, undefined, 200, 200, 503];
    const { url, delivered } = await receiver((n) => (n < 20 ? answers[n % answers.length] : 204));
    const seen: number[] = [];
    const onAnswer = ({ status }: { status: number }): void => void seen.push(status);
    const result = await emulator.deliverCallbacks({ url, concurrency: 2, onAnswer });
    const expected = idsOf(all(emulator));
    expect(result.acknowledged).toEqual(new Set(expected));
    expect(result.deliveries).toBe(expected.length);
    expect(result.retries).toBe(12);
    expect(seen.filter((status) => status === 0)).toHaveLength(4);
    expect(seen.filter((status) => status === 503)).toHaveLength(8);
    expect(delivered).toHaveLength(expected.length + 12);
  });

  test("a server that starts late gets everything", async () => {
    const emulator = await start({ calls: 2 });
    const { url, server, delivered } = await receiver();
    const { port } = server.address() as AddressInfo;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    let failures = 0;
    const onAnswer = ({ status }: { status: number }): void => {
      if (status === 0 && ++failures === 3) server.listen(port, "127.0.0.1");
    };
    const { acknowledged } = await emulator.deliverCallbacks({ url, onAnswer, concurrency: 2 });
    expect(acknowledged).toEqual(new Set(idsOf(delivered.map(({ body }) => body))));
    expect(acknowledged.size).toBe(all(emulator).length);
  });

  test("what is refused is counted, and not tried again", async () => {
    const emulator = await start({ calls: 2 });
    const { url, delivered } = await receiver((n) => (n % 2 === 0 ? 401 : 200));
    const result = await emulator.deliverCallbacks({ url, concurrency: 1 });
    const bodies = delivered.map(({ body }) => body);
    expect(result.refused).toEqual({ 401: Math.ceil(bodies.length / 2) });
    expect(result.acknowledged).toEqual(new Set(idsOf(bodies.filter((_, n) => n % 2 === 1))));
  });

  test("a signal ends it with what was acknowledged", async () => {
    const emulator = await start({ calls: 5 });
    const abort = new AbortController();
    const { url } = await receiver((n) => {
      if (n === 5) abort.abort();
      return n < 5 ? 200 : 503;
    });
    const result = await emulator.deliverCallbacks({ url, concurrency: 1, signal: abort.signal });
    const first = emulator.callbacks(emulator.ids().next().value ?? "");
    expect([...result.acknowledged]).toEqual(idsOf(first.slice(0, 5)));
    const gone = await emulator.deliverCallbacks({ url: "http://127.0.0.1:9/", signal: AbortSignal.abort() });
    expect(gone).toEqual({ acknowledged: new Set(), deliveries: 0, retries: 0, refused: {} });
  });

  test("a pace limits how many begin per second", async () => {
    const emulator = await start({ calls: 1 });
    const { url, delivered } = await receiver();
    const before = performance.now();
    await emulator.deliverCallbacks({ url, perSecond: 200, concurrency: 4 });
    // The first begins at once. A millisecond is what a timer may be early.
    expect(performance.now() - before).toBeGreaterThanOrEqual((delivered.length - 1) * 5 - 1);
  });
});
