import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { ErrorObject, ValidateFunction } from "ajv";
import { isObject, type Json, type JsonObject } from "../../src/core/transcript.ts";
import { promisesOf } from "./schema-changes.ts";

export const SCHEMAS = { transcript: "transcript.schema.json", turnRow: "turn-row.schema.json" } as const;
export type SchemaName = keyof typeof SCHEMAS;

/** A published schema. */
export const schemaOf = (name: SchemaName): JsonObject =>
  JSON.parse(readFileSync(new URL(`../../docs/${SCHEMAS[name]}`, import.meta.url), "utf8")) as JsonObject;

/** The schema without permission for unknown properties, except where it says that any are allowed. */
export const strictSchema = (schema: Json): Json => {
  if (Array.isArray(schema)) return schema.map(strictSchema);
  if (!isObject(schema)) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [
      keyword,
      (keyword === "properties" || keyword === "$defs") && isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, strictSchema(one)]))
        : keyword === "items"
          ? strictSchema(value)
          : value,
    ]),
  );
  return "properties" in schema ? { ...inner, unevaluatedProperties: false } : inner;
};

/** Ajv takes a tenth of a second to load and to compile a schema, so tests without transcripts do without it. */
export const compiled = (schema: Json): ValidateFunction => {
  const { Ajv2020 } = createRequire(import.meta.url)("ajv/dist/2020.js") as typeof import("ajv/dist/2020.js");
  // The pattern of times says more than their format.
  return new Ajv2020({ strict: true, formats: { "date-time": true } }).compile(schema as JsonObject);
};

const validators = new Map<SchemaName, ValidateFunction>();

/** What is wrong with a value by the strict variant of a schema; empty if it is valid. */
export const flawsOf = (name: SchemaName, value: unknown): string[] => {
  const validate = validators.get(name) ?? compiled(strictSchema(schemaOf(name)));
  validators.set(name, validate);
  return validate(value) ? [] : (validate.errors ?? []).map(shown);
};

const shown = ({ instancePath, message, params }: ErrorObject): string =>
  `${instancePath} ${message} ${JSON.stringify(params)}`;

/** Which schema a line of output has to follow; undefined if it is neither a transcript nor a turn with its call. */
export const schemaFor = (line: unknown): SchemaName | undefined => {
  if (!isObject(line as Json)) return undefined;
  const { participants, provenance, callId, source } = line as JsonObject;
  if (participants !== undefined || provenance !== undefined) return "transcript";
  return callId !== undefined && source !== undefined ? "turnRow" : undefined;
};

/**
Throws if a line is a transcript, or a turn with its call, and does not follow its schema strictly. Its keys must have
the order of the schema.
*/
export const checkLine = <T>(line: T): T => {
  const name = schemaFor(line);
  if (name === undefined) return line;
  const flaws = flawsOf(name, line);
  if (flaws.length > 0) throw new Error(`docs/${SCHEMAS[name]} does not allow it: ${flaws.join("; ")}`);
  const misplaced = misplacedKeys(line as Json, promises(name));
  if (misplaced.length > 0) throw new Error(`docs/${SCHEMAS[name]} has another order: ${misplaced.join(", ")}`);
  return line;
};

const ordered = new Map<SchemaName, JsonObject>();
const promises = (name: SchemaName): JsonObject => {
  const known = ordered.get(name) ?? promisesOf(schemaOf(name));
  ordered.set(name, known);
  return known;
};

/** Keys that come earlier in the schema than the key before them. */
const misplacedKeys = (value: Json, schema: JsonObject): string[] => {
  if (Array.isArray(value)) return value.flatMap((item) => misplacedKeys(item, (schema.items ?? {}) as JsonObject));
  const properties = schema.properties as Record<string, JsonObject> | undefined;
  if (properties === undefined || !isObject(value)) return [];
  const order = Object.keys(properties);
  const places = Object.keys(value).map((key) => order.indexOf(key));
  const early = Object.keys(value).filter((_, at) => at > 0 && (places[at] ?? 0) < (places[at - 1] ?? 0));
  return [...early, ...Object.entries(value).flatMap(([key, one]) => misplacedKeys(one, properties[key] ?? {}))];
};
