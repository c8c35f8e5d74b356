import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createCorpus } from "../../dist/emulator/corpus.js";
import { fullInstance, listItem } from "../../dist/emulator/instance.js";

// The calls of the benchmark: conversations of the emulator, rendered once, under as many ids as are wanted.

/** Fewer than one window can show, so that no listing is split. */
const CALLS_A_DAY = 5_000;
const FIRST = Date.UTC(2024, 0, 1) / 1000;
const STEP = 86_400 / CALLS_A_DAY;

export const AGENT = "0123456789abcdef0123456789abcdef";

/** 32 hex digits in no order, with the call's number at the end: nobody has to keep a table. */
const name = (purpose, index) =>
  createHash("md5").update(`${purpose}${index}`).digest("hex").slice(0, 24) + index.toString(16).padStart(8, "0");
const numberIn = (text) => Number.parseInt(text.slice(-8), 16);

export const idOf = (index) => name("call", index);
export const indexOfId = (id) => (idOf(numberIn(id)) === id ? numberIn(id) : undefined);
/** In seconds, with a fraction. */
export const startOf = (index) => FIRST + index * STEP;
/** The first call that starts at or after a time in seconds. */
export const firstFrom = (seconds) => Math.max(0, Math.ceil((seconds - FIRST) / STEP));

const day = (index) => new Date(startOf(index) * 1000).toISOString().slice(0, 10).replaceAll("-", "");
export const pathOf = (index) => `/call-logs/${AGENT}/${day(index)}/${name("object", index)}.json`;
export const indexOfPath = (path) => numberIn(path.slice(0, path.lastIndexOf(".json")));

const after = (text, mark) => text.slice(text.indexOf(mark) + mark.length);

/**
What the service would say of each call.

@param size so many different conversations; further calls repeat them under ids and times of their own, far enough
  apart that no compressor sees it
@param bytes about the length of a call log
*/
export const createBytes = (size, bytes) => {
  const from = new Date(FIRST * 1000);
  const to = new Date((FIRST + size * STEP) * 1000);
  const corpus = createCorpus({ calls: size, agents: 1, seed: 5, from, to, open: 0, documentBytes: bytes });
  const pool = Array.from(corpus.ids(), (id) => {
    const call = corpus.find(id);
    const mark = '"CallLogUrl":"x",';
    return {
      log: Buffer.from(`,"agentUserId":${after(Buffer.from(call.log().bytes).toString(), ',"agentUserId":')}`),
      described: Buffer.from(after(JSON.stringify(fullInstance(call, "x")), mark)),
      listed: Buffer.from(after(JSON.stringify(listItem(call, "x")), mark)),
    };
  });
  const at = (index) => pool[index % size];
  const withLink = (link, rest) => Buffer.concat([Buffer.from(`{"CallLogUrl":"${link}",`), rest]);
  return {
    document: (index) => {
      const start = Math.round(startOf(index) * 1000) / 1000;
      return Buffer.concat([Buffer.from(`{"instanceid":"${idOf(index)}","startTime":${start}`), at(index).log]);
    },
    described: (index, link) => withLink(link, at(index).described),
    listed: (index, link) => withLink(link, at(index).listed),
  };
};

/** The ids of an emulator that runs as its own process with this many calls, and otherwise as it is. */
export const emulatorIds = (calls) => {
  const [from, to] = [new Date(0), new Date(1)];
  return [...createCorpus({ calls, agents: 1, seed: 1, from, to, open: 0 }).ids()];
};

/** All documents as NDJSON, in the order of their calls. */
const writeDocuments = async (calls, size, bytes, file) => {
  const { document } = createBytes(size, bytes);
  const out = createWriteStream(file);
  for (let index = 0; index < calls; index += 1) {
    const room = out.write(Buffer.concat([document(index), Buffer.from("\n")]));
    if (!room) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
};

if (import.meta.filename === process.argv[1]) {
  const [, , calls, size, bytes, file] = process.argv;
  await writeDocuments(Number(calls), Number(size), Number(bytes), file);
}
