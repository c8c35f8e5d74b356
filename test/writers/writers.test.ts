import { gzipSync } from "node:zlib";
import fc from "fast-check";
import Papa from "papaparse";
import { describe, expect, it } from "vitest";
import type { SampleResult } from "../../src/core/sample.ts";
import type { Transcript, Turn } from "../../src/core/transcript.ts";
import { csvColumns, type WriterOptions, writers } from "../../src/writers/index.ts";
import { brokenText, transcript } from "./arbitrary.ts";
import { MAIN, mainText, notesOf, written } from "./written.ts";

const call = (id: string, texts: string[] = []): Transcript => ({
  id,
  source: "calls",
  participants: {},
  turns: texts.map((text, index) => ({ id: String(index), role: "user", kind: "normal", text })),
  provenance: { records: [{ source: "calls", sha256: "00", bytes: 2 }] },
});
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("NDJSON", () => {
  const lines = (transcripts: Transcript[], options: WriterOptions = {}) =>
    mainText(written(writers.ndjson.create(options), transcripts))
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));

  it("gives back any transcript", () => {
    fc.assert(
      fc.property(fc.array(transcript(), { maxLength: 3 }), (transcripts) => {
        expect(lines(transcripts)).toEqual(plain(transcripts));
      }),
    );
  });
  it("by turn gives back any turn, with its call", () => {
    fc.assert(
      fc.property(transcript(), (whole) => {
        const rows = lines([whole], { rows: "turn" });
        if (whole.turns.length === 0) expect(rows).toMatchObject([{ callId: whole.id, source: whole.source }]);
        else
          expect(rows.map(({ callId, turn }) => [callId, turn])).toEqual(whole.turns.map((_, i) => [whole.id, i + 1]));
        const turns = rows.map(
          ({ callId, source, agentId, sessionId, startedAt, revision, turn, turnId, ...rest }) => ({
            id: turnId,
            ...rest,
          }),
        );
        if (whole.turns.length > 0) expect(turns).toEqual(plain(whole.turns));
      }),
    );
  });
  const isMended = (key: string, value: unknown): unknown => {
    expect([key, value]).toEqual([key.toWellFormed(), typeof value === "string" ? value.toWellFormed() : value]);
    return value;
  };
  it("mends strings at every depth, and leaves escapes that only look broken", () => {
    fc.assert(
      fc.property(transcript(brokenText), (whole) => {
        for (const rows of ["call", "turn"] as const) {
          const text = mainText(written(writers.ndjson.create({ rows }), [whole]));
          for (const line of text.split("\n").slice(0, -1)) JSON.parse(line, isMended);
        }
      }),
    );
    expect(lines([call("\\ud800", ["\\\ud800"])])).toMatchObject([{ id: "\\ud800", turns: [{ text: "\\\ufffd" }] }]);
  });
});

describe("CSV", () => {
  const text = (transcripts: Transcript[], options: WriterOptions = {}) =>
    mainText(written(writers.csv.create(options), transcripts));
  const table = (csv: string): string[][] =>
    Papa.parse<string[]>(csv.replace(/\n$/, ""), { newline: "\n", delimiter: "," }).data;
  const rows = (csv: string): Record<string, string>[] => {
    const [header = [], ...rest] = table(csv);
    return rest.map((cells) => Object.fromEntries(header.map((name, index) => [name, cells[index] ?? "missing"])));
  };
  const turnOf = (row: Record<string, string>): Turn => {
    const optional: [keyof Turn, unknown][] = [
      ["begin", row.begin && Number(row.begin)],
      ["at", row.at],
      ["interrupted", row.interrupted && row.interrupted === "true"],
      ["reasoning", row.reasoning],
      ["toolCalls", row.tool_calls && JSON.parse(row.tool_calls)],
      ["toolCallId", row.tool_call_id],
      ["data", row.data && JSON.parse(row.data)],
      ["audio", row.audio],
      ["extra", row.extra && JSON.parse(row.extra)],
    ];
    const { turn_id: id = "", role = "", kind = "", text = "" } = row;
    return { id, role, kind, text, ...Object.fromEntries(optional.filter(([, value]) => value !== "")) };
  };

  it("gives back any turn, with its call", () => {
    fc.assert(
      fc.property(fc.array(transcript(), { maxLength: 3 }), fc.boolean(), (transcripts, csvBom) => {
        const read = rows(text(transcripts, { csvGuard: false, csvBom }).replace(/^\uFEFF/, csvBom ? "" : "\uFEFF"));
        const expected = transcripts.flatMap((whole) =>
          whole.turns.length === 0 ? [[whole.id, ""]] : whole.turns.map((_, index) => [whole.id, String(index + 1)]),
        );
        expect(read.map(({ call_id, turn }) => [call_id, turn])).toEqual(expected);
        const present = (turn: Turn) => Object.fromEntries(Object.entries(turn).filter(([, value]) => value !== ""));
        expect(read.filter(({ turn }) => turn !== "").map((row) => present(turnOf(row)))).toEqual(
          transcripts.flatMap(({ turns }) => turns.map((turn) => present(plain(turn) as Turn))),
        );
      }),
    );
  });
  it("keeps a call without turns, and its header without calls", () => {
    const [row] = rows(text([{ ...call("silent"), status: "Finished", participants: { caller: "1" } }]));
    expect(row).toMatchObject({ call_id: "silent", turn: "", text: "", status: "Finished", caller: "1" });
    expect(text([])).toBe(`${csvColumns.map(({ name }) => name).join(",")}\n`);
  });
  it.each(["=1+1", "+861", "-1", "@a", "\tx", "\rx", "\nx", "＝1", "=HYPERLINK(1)\nsecond line"])(
    "disarms %j, and leaves it alone when told to",
    (formula) => {
      expect(rows(text([call("c", [formula])]))[0]?.text).toBe(`'${formula}`);
      expect(rows(text([call("c", [formula])], { csvGuard: false }))[0]?.text).toBe(formula);
    },
  );
  it("leaves negative numbers numbers", () => {
    const whole = call("c", ["x"]);
    for (const turn of whole.turns) turn.begin = -0.5;
    expect(rows(text([whole]))[0]?.begin).toBe("-0.5");
  });
  it("begins with a byte order mark when asked", () => {
    expect(text([], { csvBom: true })).toBe(`\uFEFF${text([])}`);
  });
  it("quotes as papaparse does", () => {
    const hostile = fc.string({ unit: fc.constantFrom(..."\"', ;\r\n\t\uFEFF=＋-@a中😀\ud800") });
    fc.assert(
      fc.property(hostile, fc.boolean(), (said, csvGuard) => {
        const escapeFormulae = csvGuard ? /^[=+\-@\t\r\n＝＋－＠]/ : false;
        const cell = Papa.unparse([[said.toWellFormed()]], { newline: "\n", escapeFormulae });
        expect(text([call("c", [said])], { csvGuard })).toContain(`c,1,0,user,normal,,,${cell},,calls,`);
      }),
    );
  });
  it("explains each of its columns", () => {
    expect(new Set(csvColumns.map(({ name }) => name)).size).toBe(csvColumns.length);
    for (const { name, about } of csvColumns)
      expect([name, about]).toEqual([expect.any(String), expect.stringMatching(/^.{3,80}$/)]);
  });
});

describe("messages", () => {
  const samples: Record<string, SampleResult> = {
    fits: { messages: [{ role: "user", content: "a" }], changes: [] },
    changed: { messages: [{ role: "user", content: "b" }], changes: ["turns-merged", "trailing-user-cut"] },
    dropped: { dropped: "no-user-turn" },
  };
  const toSample = ({ id }: Transcript): SampleResult => samples[id] ?? { dropped: "unknown" };
  const calls = ["fits", "changed", "dropped", "dropped"].map((id) => call(id));

  it("names every dropped or changed call beside the samples, and tells of them", () => {
    const writer = writers.messages.create({ toSample, report: "why.ndjson" });
    const files = written(writer, calls);
    expect(files.get(MAIN)).toEqual({
      text: '{"messages":[{"role":"user","content":"a"}]}\n{"messages":[{"role":"user","content":"b"}]}\n',
      rows: 2,
    });
    expect(files.get("why.ndjson")).toEqual({
      text:
        '{"id":"changed","changes":["turns-merged","trailing-user-cut"]}\n' +
        '{"id":"dropped","dropped":"no-user-turn"}\n'.repeat(2),
      rows: 3,
    });
    expect(notesOf(writer, calls)).toEqual([
      { changes: [] },
      { changes: ["turns-merged", "trailing-user-cut"] },
      { dropped: "no-user-turn" },
      { dropped: "no-user-turn" },
    ]);
  });
  it("writes no key but role and content, whatever the sample holds", () => {
    const messages = [{ role: "user", content: "a\ud800", weight: 1 }] as never;
    const text = mainText(
      written(writers.messages.create({ toSample: () => ({ messages, changes: [] }) }), [call("c")]),
    );
    expect(text).toBe('{"messages":[{"role":"user","content":"a\ufffd"}]}\n');
  });
  it("keeps quiet where there is no place beside the samples, and still tells", () => {
    const writer = writers.messages.create({ toSample, report: null });
    expect([...written(writer, calls).keys()]).toEqual([MAIN]);
    expect(notesOf(writer, calls).filter((note) => note?.dropped === "no-user-turn")).toHaveLength(2);
  });
  it("cannot be made without a way to samples", () => {
    expect(() => writers.messages.create({})).toThrow("toSample");
  });
});

describe("raw", () => {
  const gzipped = gzipSync('{ "a":1 }\n');
  const documents: Record<string, Buffer> = {
    plain: Buffer.from('{"\\ud800": 1.50}'),
    marked: Buffer.from("\uFEFF[ ]"),
    gzipped,
  };
  const document = ({ id }: Transcript) => ({ bytes: documents[id] ?? Buffer.alloc(0), sha256: "00" });
  const calls = Object.keys(documents).map((id) => call(id));

  it("as one array keeps the texts as they were", () => {
    const files = written(writers.raw.create({ single: true }), calls, document);
    expect([...files]).toEqual([[MAIN, { text: '[\n{"\\ud800": 1.50},\n[ ],\n{ "a":1 }\n\n]\n', rows: 3 }]]);
  });
  it("as files keeps the very bytes, and says where they are gzip", () => {
    const puts: [unknown, unknown][] = [];
    const writer = writers.raw.create({});
    for (const one of calls)
      writer.item(one, (...piece) => void puts.push(piece as never), { document: document(one) });
    const options = (file: string) => ({ rows: 1, whole: true, file });
    expect(puts).toEqual([
      [documents.plain, options("raw/plain.json")],
      [documents.marked, options("raw/marked.json")],
      [documents.gzipped, options("raw/gzipped.json.gz")],
    ]);
  });
});

describe("the registry", () => {
  it("gives each name and each ending to one format", () => {
    const shapes = Object.values(writers);
    for (const list of [
      shapes.map(({ file }) => file),
      shapes.flatMap(({ extensions }): string[] => [...extensions]),
    ]) {
      expect(new Set(list).size).toBe(list.length);
    }
  });
});
