import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { AGENT, createBytes, firstFrom, indexOfId, indexOfPath, pathOf } from "./corpus.mjs";

// A server that is not what is measured: every answer is rendered before the first request, requests are read no
// further than needed, no signature is checked. Speaks describe, list and download.

const MOST_CALLS = 2_000_000;
const [size = 0, bytes = 0, latencyMs = 0] = process.argv.slice(2).map(Number);
const { document, described, listed } = createBytes(size, bytes);

const MD5 = 16;
const sums = Buffer.alloc(MOST_CALLS * MD5);
/** Computed once a call. */
const md5Of = (index, body) => {
  const sum = sums.subarray(index * MD5, (index + 1) * MD5);
  if (sum.every((byte) => byte === 0)) createHash("md5").update(body).digest().copy(sum);
  return sum;
};

const REQUEST_ID = "4A9C5C2F-3F5B-5D0E-9A6F-0C1D2E3F4A5B";
let origin = "";
const link = (index) =>
  `${origin}${pathOf(index)}?Expires=1999999999&OSSAccessKeyId=emulator-id&Signature=q3VgT0mV0p2x6ZkHk9b1b7wJcQ0%3D`;

const answer = (status, headers, body) =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`),
    Buffer.from(`date: Thu, 20 Nov 2025 00:00:00 GMT\r\n${headers}\r\n`),
    body,
  ]);
const json = (...parts) => answer("200 OK", `x-acs-request-id: ${REQUEST_ID}\r\n`, Buffer.concat(parts));
const begin = Buffer.from(`{"RequestId":"${REQUEST_ID}",`);
const notFound = answer("404 Not Found", "", Buffer.from('{"Code":"InvalidInstance.NotFound","Message":"No."}'));

const list = (query) => {
  const second = (name, fallback) => (query.has(name) ? Date.parse(query.get(name)) / 1000 : fallback);
  const low = Math.min(MOST_CALLS, firstFrom(second("StartTime", 0)));
  const high = Math.min(MOST_CALLS, firstFrom(second("EndTime", 4e9) + 1));
  const size = Number(query.get("PageSize"));
  const newest = high - 1 - (Number(query.get("PageNumber")) - 1) * size;
  const items = [];
  for (let index = newest; index >= low && index > newest - size; index -= 1)
    items.push(Buffer.from(items.length > 0 ? "," : ""), listed(index, link(index)));
  return json(begin, Buffer.from('"Instances":['), ...items, Buffer.from("]}"));
};

const api = (query) => {
  if (query.get("AIAgentId") === AGENT) return list(query);
  const index = indexOfId(query.get("InstanceId") ?? "");
  if (index === undefined || index >= MOST_CALLS) return notFound;
  return json(begin, Buffer.from('"Instance":'), described(index, link(index)), Buffer.from("}"));
};

const download = (path) => {
  const index = indexOfPath(path);
  if (!(index < MOST_CALLS)) return notFound;
  const body = document(index);
  const md5 = md5Of(index, body);
  const headers = `etag: "${md5.toString("hex").toUpperCase()}"\r\ncontent-md5: ${md5.toString("base64")}\r\n`;
  return answer("200 OK", `${headers}x-oss-request-id: ${REQUEST_ID}\r\n`, body);
};

const END = "\r\n\r\n";

const server = createServer({ noDelay: true }, (socket) => {
  let waiting = "";
  socket.setEncoding("latin1").on("error", () => socket.destroy());
  socket.on("data", (text) => {
    waiting += text;
    for (let end = waiting.indexOf(END); end >= 0; end = waiting.indexOf(END)) {
      const head = waiting.slice(0, end);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (waiting.length < end + END.length + length) return;
      waiting = waiting.slice(end + END.length + length);
      const [method, target = ""] = head.slice(0, head.indexOf("\r\n")).split(" ", 2);
      const [path, query] = target.split("?", 2);
      const bytes = method === "POST" ? api(new URLSearchParams(query)) : download(path);
      if (latencyMs > 0) setTimeout(() => socket.write(bytes), latencyMs);
      else socket.write(bytes);
    }
  });
});

server.listen(0, "127.0.0.1", () => {
  origin = `http://127.0.0.1:${server.address().port}`;
  process.stdout.write(`${origin}\n`);
});
// Ends with whoever started it.
process.stdin.resume().on("end", () => process.exit());
