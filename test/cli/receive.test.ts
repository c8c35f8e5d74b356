import { generateKeyPairSync } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Transcript } from "../../src/core/transcript.ts";
import { selfSigned } from "../../src/emulator/certificate.ts";
import type { Emulator } from "../../src/emulator/index.ts";
import { faulty } from "../helpers/faulty.ts";
import { deliver, type Running, receiver, send, TOKEN } from "../helpers/receiver.ts";
import { SOAK } from "../helpers/soak.ts";
import { summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

/** What the archive exports, byte for byte. */
const exported = async (place: Workplace): Promise<string> => {
  const ran = await place.runHere(["export", "--offline", "-o", "-"]);
  expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
  return ran.stdout;
};

/** The ids of all records of all transcripts. */
const recordIds = async (place: Workplace): Promise<(string | undefined)[]> =>
  (await exported(place))
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => (JSON.parse(line) as Transcript).provenance.records.map(({ id }) => id));

const waiting = async (place: Workplace): Promise<number> =>
  JSON.parse((await place.runHere(["status", "--json"])).stdout).inbox.records;

const prepared = async (chats = 10) => {
  const place = workplace();
  const cloud = await place.cloud({ chats, calls: 0 });
  return { place, cloud, events: [...cloud.chatEvents()] };
};

/** A line of OpenMetrics text. */
const metric = (text: string, name: string): number =>
  Number(new RegExp(`^callarchive_receive_${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);

const metricsOf = async ({ origin }: Running): Promise<string> => (await send(`${origin}/metrics`, "", {}, "GET")).body;

/** Sends raw bytes, and resolves to what comes back until the connection ends. */
const raw = (origin: string, text: string): Promise<string> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(origin);
    let answer = "";
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding("utf8").on("data", (part: string) => {
      answer += part;
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
  });

describe("receive", () => {
  test("stores signed events; the export is the same, byte for byte, as that of an import", async () => {
    const { place, cloud, events } = await prepared(20);
    const running = await receiver(place, cloud);
    for (const event of events.slice(3)) expect((await deliver(cloud, running.url, event)).status).toBe(200);
    // A batch; the older form of the text to sign; again what it has.
    expect((await deliver(cloud, running.url, events.slice(0, 3))).status).toBe(200);
    const body = JSON.stringify(events[0]);
    const older = cloud.signDelivery({ url: running.url, body, token: TOKEN, finalNewline: true });
    expect(await send(running.url, body, older)).toMatchObject({ status: 200, body: "" });
    const metrics = await metricsOf(running);
    expect(metrics.endsWith("# EOF\n")).toBe(true);
    expect(metric(metrics, "events_total{}")).toBe(events.length + 1);
    const ran = await running.stop();
    expect(ran.code).toBe(0);
    expect(summaryOf(ran)).toMatchObject({ received: events.length + 1, other: 0, refused: 0, waiting: 0 });

    const other = workplace();
    writeFileSync(other.path("dump.ndjson"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
    expect((await other.runHere(["import", "dump.ndjson"])).code).toBe(0);
    expect(await exported(place)).toBe(await exported(other));
    expect((await place.runHere(["verify"])).code).toBe(0);
    for (const name of readdirSync(place.folder).filter((each) => each.startsWith("callarchive.db")))
      expect([name, statSync(place.path(name)).mode & 0o777]).toEqual([name, 0o600]);
  });

  test("refuses what is not signed, not in time, not for this address, or without the token, and says nothing", async () => {
    const { place, cloud, events } = await prepared();
    const running = await receiver(place, cloud, ["--chats-region", "cn-beijing"]);
    const { url } = running;
    const body = JSON.stringify(events[0]);
    const good = () => cloud.signDelivery({ url, body, token: TOKEN });
    const without = (name: string) => Object.fromEntries(Object.entries(good()).filter(([each]) => each !== name));
    const minutes = (n: number) => new Date(Date.now() + n * 60_000);
    const cases: Record<string, Record<string, string>> = {
      nothing: { "content-type": "application/json" },
      "no signature": without("x-eventbridge-signature-v2"),
      "no time": without("x-eventbridge-signature-timestamp"),
      "no version": without("x-eventbridge-signature-version"),
      "no token": cloud.signDelivery({ url, body }),
      "a wrong token": cloud.signDelivery({ url, body, token: `${TOKEN}x` }),
      "a token that begins well": cloud.signDelivery({ url, body, token: TOKEN.slice(0, -1) }),
      "too old": cloud.signDelivery({ url, body, token: TOKEN, at: minutes(-1.1) }),
      "too new": cloud.signDelivery({ url, body, token: TOKEN, at: minutes(1.1) }),
      "another time": { ...good(), "x-eventbridge-signature-timestamp": String(Date.now() - 5) },
      "another address": cloud.signDelivery({ url: `${url}/`, body, token: TOKEN }),
      "another body": cloud.signDelivery({ url, body: `${body} `, token: TOKEN }),
      "another method": { ...good(), "x-eventbridge-hash-method": "MD5" },
      "no such method": { ...good(), "x-eventbridge-hash-method": "constructor" },
      "another certificate": { ...good(), "x-eventbridge-signature-url": `${cloud.certificateUrl}?2` },
      garbage: { ...good(), "x-eventbridge-signature-v2": "AAAA" },
      "an empty signature": { ...good(), "x-eventbridge-signature-v2": "" },
    };
    for (const [name, headers] of Object.entries(cases)) {
      const answer = await send(url, body, headers);
      expect([name, answer.status, answer.body]).toEqual([name, 401, ""]);
      expect(answer.headers["x-powered-by"] ?? answer.headers.server).toBeUndefined();
    }
    // Host headers are not believed: only the configured address counts.
    const elsewhere = "http://elsewhere.example/events";
    const forged = { ...cloud.signDelivery({ url: elsewhere, body, token: TOKEN }), host: "elsewhere.example" };
    expect((await send(url, body, forged)).status).toBe(401);
    expect((await send(url, body, good())).status).toBe(200);
    const ran = await running.stop();
    expect(summaryOf(ran)).toMatchObject({ received: 1, stored: 1, refused: 18 });
    // Neither bodies nor signatures nor tokens are in the logs.
    expect(ran.stderr).not.toContain(TOKEN);
    expect(ran.stderr).not.toContain(String(events[0]?.data.sessionId));
    expect(ran.stderr).not.toContain(good()["x-eventbridge-signature-v2"]?.slice(0, 20));
  });

  test("trusts only the certificate of its region, over https, without the flag for tests", async () => {
    const { place, cloud, events } = await prepared();
    const running = await receiver(place, cloud, ["--insecure-no-signature"]);
    // The proxy is nobody: the right address is asked for, without any network.
    const env = { CALLARCHIVE_RECEIVE_TOKEN: TOKEN, HTTPS_PROXY: "http://127.0.0.1:9" };
    const strict = await receiver(workplace(), undefined, ["--chats-region", "cn-beijing"], env);
    const body = JSON.stringify(events[0]);
    const official = "cn-beijing-eventbridge.oss-accelerate.aliyuncs.com";
    for (const [certificateUrl, status] of [
      [cloud.certificateUrl, 401],
      [`http://${official}/x509.pem`, 401],
      [`https://${official}:8443/x509.pem`, 401],
      [`https://user:password@${official}/x509.pem`, 401],
      [`https://${official}.example.com/x509.pem`, 401],
      [`https://example.com/${official}/x509.pem`, 401],
      ["https://evil-eventbridge.oss-accelerate.aliyuncs.com/x509.pem", 401],
      ["https://127.0.0.1/x509.pem", 401],
      ["file:///etc/passwd", 401],
      [`https://${official}/x509.pem`, 503],
    ] as const) {
      const headers = cloud.signDelivery({ url: strict.url, body, token: TOKEN });
      headers["x-eventbridge-signature-url"] = certificateUrl;
      expect([certificateUrl, (await send(strict.url, body, headers)).status]).toEqual([certificateUrl, status]);
    }
    // Without a signature the token alone counts, because that was asked for.
    const json = { "content-type": "application/json" };
    const token = { "x-eventbridge-signature-token": TOKEN };
    expect((await send(running.url, body, json)).status).toBe(401);
    expect((await send(running.url, body, { ...json, ...token })).status).toBe(200);
    expect((await running.stop("SIGINT")).code).toBe(0);
    await strict.stop();
  });

  test("a certificate that cannot be had is 503, so that the event is sent again", async () => {
    const { place, cloud, events } = await prepared();
    const gone = "http://127.0.0.1:9/none.pem";
    const running = await receiver(place, cloud, ["--certificate-url", gone]).then(async (first) => {
      await first.stop();
      return receiver(place, { ...cloud, certificateUrl: gone });
    });
    const body = JSON.stringify(events[0]);
    const headers = cloud.signDelivery({ url: running.url, body, token: TOKEN });
    const answer = await send(running.url, body, { ...headers, "x-eventbridge-signature-url": gone });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "5"]);
    await running.stop();
  });

  test("refuses what is no event, and lives on", async () => {
    const { place, cloud, events } = await prepared();
    const running = await receiver(place, cloud);
    const { url } = running;
    const [first, second] = events;
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const deepData = `{"id":"x","source":"acs.multimodal","type":"multimodal:Dialogue:ChatLogPush","data":{"sessionId":"s","x":${deep}}}`;
    const cases: [string | Buffer, number][] = [
      ["", 400],
      ["{", 400],
      ['{"hello":"world"}', 400],
      ["[]", 200],
      [JSON.stringify({ ...first, data: "no chat log" }), 400],
      [JSON.stringify({ ...first, id: "a\u0000b" }), 400],
      [JSON.stringify({ ...first, data: { ...first?.data, sessionId: "x".repeat(2000) } }), 400],
      [deep, 400],
      // As an import takes it: values below the 64th level are dropped.
      [deepData, 200],
      [deepData.replace(deep, `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`), 200],
      [Buffer.from([0xff, 0xfe, 0x00, 0x80]), 400],
      [Buffer.alloc(1024 * 1024, 0x20), 400],
      [Buffer.alloc(1024 * 1024 + 1, 0x20), 413],
      // Of another type: acknowledged, or it would come again.
      [JSON.stringify({ ...first, type: "oss:ObjectCreated:PutObject" }), 200],
      // The good one beside a broken one is stored.
      [JSON.stringify([second, { hello: "world" }]), 400],
    ];
    for (const [body, status] of cases) {
      const answer = await send(url, body, cloud.signDelivery({ url, body, token: TOKEN }));
      expect([body.slice(0, 60).toString(), answer.status, answer.body]).toEqual([
        body.slice(0, 60).toString(),
        status,
        "",
      ]);
    }
    const chunked = { ...cloud.signDelivery({ url, body: "", token: TOKEN }), "transfer-encoding": "chunked" };
    expect((await send(url, Buffer.alloc(1024 * 1024 + 1), chunked)).status).toBe(413);
    // The connection may end before the answer is read.
    const endless = await send(url, Buffer.alloc(8 * 1024 * 1024), chunked).catch(() => undefined);
    expect([413, undefined]).toContain(endless?.status);
    const signed = cloud.signDelivery({ url, body: "{}", token: TOKEN });
    expect((await send(url, "{}", { ...signed, "content-type": "text/plain" })).status).toBe(415);
    expect((await send(url, "{}", { ...signed, "content-encoding": "gzip" })).status).toBe(415);
    expect(await send(url, "", {}, "GET")).toMatchObject({ status: 405, headers: { allow: "POST" } });
    expect((await send(`${running.origin}/`, "{}", signed)).status).toBe(404);
    expect((await send(`${running.origin}/healthz`, "", {}, "GET")).status).toBe(200);
    const ran = await running.stop();
    expect(summaryOf(ran)).toMatchObject({ stored: 3, other: 1 });
    // The other one has no time of its own, so its session is still open.
    expect(await recordIds(place)).toEqual([second?.id]);
  });

  test("slow, silent and broken connections end, and others are served meanwhile", async () => {
    const { place, cloud, events } = await prepared();
    const running = await receiver(place, cloud, ["--request-timeout", "1s"]);
    const { origin, url } = running;
    const post = "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    const signed = Object.entries(cloud.signDelivery({ url, body: "{}", token: TOKEN }))
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
    const many = SOAK ? 900 : 200;
    const slow = Promise.all([
      ...Array.from({ length: many }, (_, at) => raw(origin, at % 2 === 0 ? post : "")),
      raw(origin, `POST /events HTTP/1.1\r\nHost: x\r\n${signed}Content-Length: 2\r\n\r\n{`),
    ]);
    const wrong = await Promise.all([
      raw(origin, `${post}${"X-Y: z\r\n".repeat(5_000)}\r\n`),
      raw(origin, `${post}X-Big: ${"y".repeat(100_000)}\r\n\r\n`),
      raw(origin, "\u0000\u0001\u0002 garbage\r\n\r\n"),
      raw(origin, `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    ]);
    expect(wrong.map((text) => text.split("\r\n")[0])).toEqual([
      "HTTP/1.1 431 Request Header Fields Too Large",
      "HTTP/1.1 431 Request Header Fields Too Large",
      "HTTP/1.1 400 Bad Request",
      "HTTP/1.1 400 Bad Request",
    ]);
    const began = Date.now();
    expect((await deliver(cloud, url, events[0])).status).toBe(200);
    expect(Date.now() - began).toBeLessThan(1_000);
    for (const text of await slow) expect(text === "" || text.startsWith("HTTP/1.1 408 ")).toBe(true);
    expect((await deliver(cloud, url, events[1])).status).toBe(200);
    expect((await running.stop()).code).toBe(0);
  });

  test("a second receiver is refused with the holder; one that was killed does not hold the inbox", async () => {
    const { place, cloud, events } = await prepared();
    const running = await receiver(place, cloud);
    const second = await place.run(["receive", "--port", "0"]);
    expect([second.code, second.stderr]).toEqual([
      11,
      expect.stringContaining(`Another receiver runs: process ${running.child.pid} on `),
    ]);
    expect((await deliver(cloud, running.url, events[0])).status).toBe(200);
    running.child.kill("SIGKILL");
    await running.ended;
    expect(await waiting(place)).toBe(1);
    const next = await receiver(place, cloud);
    expect((await next.stop()).code).toBe(0);
    expect(await waiting(place)).toBe(0);
  });

  test("the next command that writes takes over what waits; forget also deletes what waits", async () => {
    const { place, cloud, events } = await prepared();
    const running = await receiver(place, cloud);
    for (const event of events) expect((await deliver(cloud, running.url, event)).status).toBe(200);
    running.child.kill("SIGKILL");
    await running.ended;
    expect(await waiting(place)).toBe(events.length);
    expect((await place.runHere(["status"])).stdout).toContain(`${events.length} records wait in the inbox since`);
    expect((await place.runHere(["verify"])).code).toBe(0);

    const session = events[0]?.data.sessionId ?? "";
    const forgotten = await place.runHere(["forget", `chats:${session}`]);
    expect([forgotten.code, forgotten.stderr]).toEqual([0, expect.stringContaining("1 conversation forgotten.")]);
    expect(await waiting(place)).toBe(0);
    for (const name of readdirSync(place.folder).filter((each) => each.startsWith("callarchive.db.inbox")))
      expect([name, place.read(name).includes(session)]).toEqual([name, false]);
    expect((await recordIds(place)).toSorted()).toEqual(
      events
        .filter(({ data }) => data.sessionId !== session)
        .map(({ id }) => id)
        .toSorted(),
    );

    // What comes later of a forgotten conversation is acknowledged, and dropped.
    const again = await receiver(place, cloud);
    expect((await deliver(cloud, again.url, events[0])).status).toBe(200);
    again.child.kill("SIGKILL");
    await again.ended;
    const taken = await place.runHere(["import"], { input: "" });
    expect(taken.stderr).toContain("1 of forgotten conversations");
    expect(taken.stderr).toContain("0 conversations;");
    expect(await recordIds(place)).toHaveLength(events.filter(({ data }) => data.sessionId !== session).length);
  });

  test("receives while another run holds the archive, and moves the events into it afterwards", async () => {
    const { place, cloud, events } = await prepared(4);
    const running = await receiver(place, cloud);
    const holder = place.run(["import"], {
      started: ({ stdin }) => {
        // Its input ends later.
        if (stdin) stdin.end = () => stdin;
        setTimeout(() => stdin?.destroy(), 4_000);
      },
    });
    await sleep(1_500);
    for (const event of events) expect((await deliver(cloud, running.url, event)).status).toBe(200);
    expect((await holder).code).toBe(0);
    const until = Date.now() + 20_000;
    while ((await waiting(place)) > 0 && Date.now() < until) await sleep(200);
    expect(await waiting(place)).toBe(0);
    expect((await running.stop()).code).toBe(0);
    expect(await recordIds(place)).toHaveLength(events.length);
  }, 60_000);

  test("a full disk is 503 with a time to try again, and it recovers", async () => {
    const { place, cloud, events } = await prepared();
    const env = { CALLARCHIVE_RECEIVE_TOKEN: TOKEN, ...faulty({ FAULTY_AT: "6", FAULTY_HOW: "ENOSPC" }) };
    const running = await receiver(place, cloud, [], env);
    const failed: number[] = [];
    for (const [at, event] of events.entries()) {
      const answer = await deliver(cloud, running.url, event);
      if (answer.status === 200) continue;
      failed.push(at);
      expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "5"]);
      expect((await deliver(cloud, running.url, event)).status).toBe(200);
      expect((await send(`${running.origin}/healthz`, "", {}, "GET")).status).toBe(200);
    }
    expect(failed).toHaveLength(1);
    const ran = await running.stop();
    expect(ran.stderr).toContain("ENOSPC");
    expect((await recordIds(place)).toSorted()).toEqual(events.map(({ id }) => id).toSorted());
  });

  test("serves https with a certificate of one's own", async () => {
    const { place, cloud, events } = await prepared();
    const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = selfSigned("localhost", keys);
    writeFileSync(place.path("cert.pem"), pem);
    writeFileSync(place.path("key.pem"), keys.privateKey.export({ type: "pkcs8", format: "pem" }));
    const running = await receiver(place, cloud, ["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    expect(running.url).toMatch(/^https:/);
    const body = JSON.stringify(events[0]);
    const headers = cloud.signDelivery({ url: running.url, body, token: TOKEN });
    const status = await new Promise((resolve, reject) => {
      const options = { method: "POST", headers, ca: pem, checkServerIdentity: () => undefined };
      const sent = request(running.url, options, (response) => resolve(response.resume().statusCode));
      sent.on("error", reject);
      sent.end(body);
    });
    expect(status).toBe(200);
    // Plain http does not stop it.
    const { port } = new URL(running.url);
    await raw(`http://127.0.0.1:${port}`, "GET / HTTP/1.1\r\n\r\n");
    expect((await running.stop()).code).toBe(0);
  });

  test("an inbox that cannot be read stops no run, except one that must delete, and verify names it", async () => {
    const { place, cloud, events } = await prepared();
    const running = await receiver(place, cloud);
    expect((await deliver(cloud, running.url, events[0])).status).toBe(200);
    expect((await running.stop()).code).toBe(0);
    writeFileSync(place.path("callarchive.db.inbox"), "this is no database".repeat(500));
    const read = await place.runHere(["import"], { input: "" });
    expect([read.code, read.stderr]).toEqual([0, expect.stringContaining("callarchive.db.inbox could not be moved")]);
    const session = `chats:${events[0]?.data.sessionId}`;
    expect((await place.runHere(["forget", session])).code).toBe(1);
    expect(await recordIds(place)).toHaveLength(1);
    const verified = await place.runHere(["verify"]);
    expect([verified.code, verified.stdout]).toEqual([3, expect.stringContaining("callarchive.db.inbox")]);
  });

  test("what it cannot serve safely is a usage error", async () => {
    const place = workplace();
    for (const [args, words] of [
      [["--host", "0.0.0.0"], "--public-url is missing"],
      [["--insecure-no-signature"], "needs a token"],
      [["--insecure-no-signature", "--token-file", "token", "--host", "0.0.0.0"], "on loopback"],
      [["--certificate-url", "https://example.com/x.pem"], "is for tests"],
      [["--certificate-url", "http://127.0.0.1/x.pem", "--host", "0.0.0.0", "--public-url", "https://a/"], "for tests"],
      [["--tls-cert", "x.pem"], "go together"],
      [["--path", "/metrics"], "--path begins with /"],
      [["--token-file", "none"], "Cannot read none"],
      [["--public-url", "logs.example.com/events"], "--public-url is the http or https address"],
    ] as const) {
      writeFileSync(place.path("token"), "secret\n");
      const ran = await place.runHere(["receive", ...args]);
      expect([args, ran.code, ran.stderr]).toEqual([args, 2, expect.stringContaining(words)]);
      expect(existsSync(place.path("callarchive.db"))).toBe(false);
    }
  });

  test("--max-duration ends it with exit 10", async () => {
    const { place, cloud } = await prepared(0);
    const running = await receiver(place, cloud, ["--max-duration", "1s"]);
    expect((await running.ended).code).toBe(10);
  });
});

describe.runIf(SOAK)("how much it takes", () => {
  test("2,000 deliveries a second for 30 s", async () => {
    const { place, cloud, events } = await prepared(200);
    const running = await receiver(place, cloud, ["--insecure-no-signature"]);
    const headers = { "content-type": "application/json", "x-eventbridge-signature-token": TOKEN };
    const seconds = 30;
    let sent = 0;
    let slowest = 0;
    const memory: number[] = [];
    const rss = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${running.child.pid}/status`, "utf8"))?.[1]) / 1024;
    const began = performance.now();
    const watch = setInterval(() => memory.push(rss()), 1_000);
    const statuses = new Set<number>();
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        while (sent < 2_000 * seconds) {
          const number = sent++;
          // In time, not all at once.
          const early = number / 2 - (performance.now() - began);
          if (early > 0) await sleep(early);
          const at = performance.now();
          const event = events[number % events.length];
          const body = JSON.stringify({ ...event, id: `e${number}` });
          statuses.add((await send(running.url, body, headers)).status);
          slowest = Math.max(slowest, performance.now() - at);
        }
      }),
    );
    const rate = sent / ((performance.now() - began) / 1000);
    clearInterval(watch);
    const ran = await running.stop();
    const figures = { rate: Math.round(rate), slowestMs: Math.round(slowest), rssMb: Math.round(Math.max(...memory)) };
    console.log(figures, summaryOf(ran));
    expect([...statuses]).toEqual([200]);
    expect(summaryOf(ran)).toMatchObject({ stored: sent });
    expect(figures.rate).toBeGreaterThan(1_500);
    expect(figures.rssMb).toBeLessThan(400);
    await place.runHere(["import"], { input: "" });
    expect(await recordIds(place)).toHaveLength(sent);
  }, 240_000);
});

/** Delivers each event until it is acknowledged, whatever happens to the receiver meanwhile. */
const deliverAll = async (
  cloud: Emulator,
  url: () => string,
  events: readonly { id: string }[],
  onAcknowledged: (count: number) => void,
): Promise<void> => {
  const rest = events.values();
  let acknowledged = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (const event of rest)
        for (;;) {
          const answer = await deliver(cloud, url(), event).catch(() => undefined);
          if (answer?.status === 200) break;
          expect([undefined, 401, 503]).toContain(answer?.status);
          await sleep(20);
        }
      acknowledged += 1;
      onAcknowledged(acknowledged);
    }),
  );
};

describe("kill -9 while the inbox is emptied", () => {
  test("before and after each commit in turn: every event is in the archive once after the next command", async () => {
    const { place, cloud, events } = await prepared(200);
    expect(events.length).toBeGreaterThan(500);
    const running = await receiver(place, cloud);
    for (let at = 0; at < events.length; at += 100)
      expect((await deliver(cloud, running.url, events.slice(at, at + 100))).status).toBe(200);
    running.child.kill("SIGKILL");
    await running.ended;
    const ids = events.map(({ id }) => id).toSorted();
    let killed = 0;
    for (let at = 1; ; at += 1) {
      const copy = workplace();
      cpSync(place.folder, copy.folder, { recursive: true });
      const env = faulty({ FAULTY_AT: String(at), FAULTY_HOW: at % 2 === 0 ? "kill" : "kill-after" });
      const ran = await copy.run(["import"], { input: "", env });
      if (ran.code === 0) break;
      expect(ran.code).toBe(null);
      killed += 1;
      expect((await copy.runHere(["import"], { input: "" })).code).toBe(0);
      expect((await recordIds(copy)).toSorted()).toEqual(ids);
      expect(await waiting(copy)).toBe(0);
    }
    // The lock, and twice a commit of the archive and one of the inbox.
    expect(killed).toBeGreaterThanOrEqual(5);
  }, 120_000);
});

describe("kill -9 in a flood", () => {
  test("loses no acknowledged event and has none twice, beside imports and exports", async () => {
    const place = workplace();
    const cloud = await place.cloud({ chats: SOAK ? 1_500 : 250, calls: 0 });
    const events = [...cloud.chatEvents()];
    const other = await workplace().cloud({ chats: 60, calls: 0, seed: 7 });
    const dump = [...other.chatEvents()];
    writeFileSync(place.path("dump.ndjson"), dump.map((event) => `${JSON.stringify(event)}\n`).join(""));
    let running = await receiver(place, cloud);
    let kills = 0;
    const beside: Promise<number | null>[] = [];
    const flood = deliverAll(
      cloud,
      () => running.url,
      events,
      () => undefined,
    );
    let done = false;
    const finished = flood.then(() => {
      done = true;
    });
    while (!done && kills < (SOAK ? 12 : 3)) {
      await sleep(300 + 100 * kills);
      running.child.kill("SIGKILL");
      await running.ended;
      kills += 1;
      const command = kills % 2 === 0 ? ["export", "--offline", "-o", "out.ndjson"] : ["import", "dump.ndjson"];
      beside.push(place.run([...command, "--wait", "60s"]).then(({ code }) => code));
      running = await receiver(place, cloud);
    }
    await finished;
    expect(kills).toBeGreaterThan(0);
    expect(new Set(await Promise.all(beside))).toEqual(new Set([0]));
    expect((await running.stop()).code).toBe(0);
    await place.runHere(["import", "dump.ndjson"]);
    expect((await recordIds(place)).toSorted()).toEqual([...events, ...dump].map(({ id }) => id).toSorted());
    expect((await place.runHere(["verify"])).code).toBe(0);

    const imported = workplace();
    writeFileSync(imported.path("all"), [...dump, ...events].map((event) => `${JSON.stringify(event)}\n`).join(""));
    await imported.runHere(["import", "all"]);
    expect(await exported(place)).toBe(await exported(imported));
  }, 600_000);
});
