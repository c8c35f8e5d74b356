import fc from "fast-check";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import type { Put } from "../../src/core/ports.ts";
import type { Json, JsonObject } from "../../src/core/transcript.ts";
import { createParquet } from "../../src/presets/files/parquet.ts";
import { type Columns, columnsOf } from "../../src/presets/files/parquet-columns.ts";

const written = async (columns: Columns, rows: readonly JsonObject[]) => {
  const chunks: Uint8Array[] = [];
  const counts: number[] = [];
  const put: Put = (data, { rows: count = 0, file } = {}) => {
    expect(file).toBe("train.parquet");
    chunks.push(typeof data === "string" ? Buffer.from(data) : data);
    counts.push(count);
  };
  const parquet = await createParquet(columns, put, { file: "train.parquet", createdBy: "callarchive version 9" });
  for (const row of rows) parquet.add(row);
  parquet.end();
  const bytes = Buffer.concat(chunks);
  expect(parquet.bytes).toBe(bytes.length);
  const file = Uint8Array.from(bytes).buffer;
  return { bytes, file, counts, metadata: parquetMetadata(file), read: () => parquetReadObjects({ file }) };
};

const message = (role: string, content: string): JsonObject => ({ role, content });
const row = (index: number): JsonObject => ({
  messages: [message("user", `问 ${index}`), message("assistant", "答 🦊")],
});

describe("a Parquet file of chat messages", () => {
  const rows = Array.from({ length: 2500 }, (_, index) => row(index));

  it("is read back as it was written, in groups of a thousand rows", async () => {
    const { read, metadata, counts } = await written(columnsOf("messages"), rows);
    expect(await read()).toEqual(rows);
    expect(metadata.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([1000, 1000, 500]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2500);
    expect(metadata.created_by).toBe("callarchive version 9");
  });

  it("has messages as list<struct<role: string, content: string>>", async () => {
    const { metadata } = await written(columnsOf("messages"), []);
    const shape = metadata.schema.map(({ name, type, num_children, converted_type, repetition_type }) =>
      [name, type ?? num_children, converted_type, repetition_type].filter((part) => part !== undefined).join(" "),
    );
    expect(shape).toEqual([
      "schema 1",
      "messages 1 LIST OPTIONAL",
      "list 1 REPEATED",
      "element 2 OPTIONAL",
      "role BYTE_ARRAY UTF8 OPTIONAL",
      "content BYTE_ARRAY UTF8 OPTIONAL",
    ]);
  });

  it("is the same, byte for byte, when written again", async () => {
    const columns = columnsOf("messages");
    expect((await written(columns, rows)).bytes.equals((await written(columns, rows)).bytes)).toBe(true);
  });

  it("holds no half characters", async () => {
    const broken: JsonObject = { messages: [message("user", "a\ud800"), message("assistant", "b")] };
    const { read } = await written(columnsOf("messages"), [broken]);
    expect(await read()).toEqual([{ messages: [message("user", "a\ufffd"), message("assistant", "b")] }]);
  });

  it("holds whatever text, and lists of any length", async () => {
    const text = fc.string({ unit: "binary" }).map((value) => value.toWellFormed());
    const messages = fc.array(fc.record({ role: text, content: text }, { noNullPrototype: true }), { maxLength: 4 });
    const any = fc.array(fc.record({ messages }, { noNullPrototype: true }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(any, async (list) => {
        expect(await (await written(columnsOf("messages"), list)).read()).toEqual(list);
      }),
    );
  });
});

describe("Parquet files of other presets", () => {
  const [user, assistant] = [message("user", "q"), message("assistant", "a")];
  const calls: Json = [{ id: "1", type: "function", function: { name: "find", arguments: '{"id":7}' } }];
  it.each<[string, Parameters<typeof columnsOf>[1], JsonObject[]]>([
    ["trl", {}, [{ prompt: [user], completion: [assistant] }]],
    ["llama-factory", {}, [{ conversations: [{ from: "human", value: "q" }], system: "" }]],
    ["sharegpt", {}, [{ conversations: [{ from: "human", value: "q" }] }]],
    [
      "alpaca",
      {},
      [
        { instruction: "q", input: "", output: "a", history: [], system: "s" },
        { instruction: "q", input: "", output: "a", history: [["q", "a"]], system: "" },
      ],
    ],
    ["bailian", { parts: true }, [{ messages: [{ role: "user", content: [{ text: "q" }] }] }]],
    [
      "openai",
      { loss: "weight" },
      [
        {
          messages: [
            { ...user, weight: null },
            { ...assistant, weight: 0 },
          ],
        },
      ],
    ],
    [
      "axolotl",
      { loss: "train" },
      [
        {
          messages: [
            { ...user, train: false },
            { ...assistant, train: true },
          ],
        },
      ],
    ],
    [
      "messages",
      { tools: true },
      [
        {
          messages: [
            { ...assistant, tool_calls: calls, tool_call_id: null },
            { ...user, tool_call_id: "1" },
          ],
        },
      ],
    ],
  ])("%s are read back", async (preset, options, rows) => {
    expect(await (await written(columnsOf(preset, options), rows)).read()).toEqual(rows);
  });

  it("hold arguments that are objects as JSON text, for each tool has its own", async () => {
    const call = (value: Json): JsonObject => ({
      messages: [
        { ...assistant, tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: value } }] },
      ],
    });
    const [back] = await (await written(columnsOf("trl-like", { tools: true }), [call({ id: 7 })])).read();
    expect(JSON.stringify(back)).toContain('"arguments":"{\\"id\\":7}"');
  });

  it("refuse what has no column, at any depth: it would be lost", async () => {
    const columns = columnsOf("messages");
    await expect(written(columns, [{ messages: [], extra: 1 }])).rejects.toThrow('no column for "extra"');
    await expect(written(columns, [{ messages: [{ ...user, weight: 1 }] }])).rejects.toThrow('no column for "weight"');
    await expect(written(columns, [{ messages: "text" }])).rejects.toThrow("shape");
  });
});
