import { isDeepStrictEqual } from "node:util";
import { isObject, type Json, type JsonObject } from "../../src/core/transcript.ts";

const ANNOTATIONS = new Set(["$schema", "$id", "title", "description", "examples", "$comment"]);
/** Keywords that are compared one by one; all others have to stay as they are. */
const COMPARED = new Set(["properties", "required", "enum", "items", "dependentRequired"]);

/** A schema without all that only explains it, and with each `$ref` replaced by what it names. */
export const promisesOf = (schema: JsonObject): JsonObject => plain(schema, schema);

const plain = (schema: Json | undefined, root: JsonObject): JsonObject => {
  if (!isObject(schema ?? null)) throw new Error("a schema that is not an object");
  const { $ref, $defs: _, ...own } = schema as JsonObject;
  const named = $ref === undefined ? {} : plain(definition(String($ref), root), root);
  const kept = Object.entries(own).filter(([keyword]) => !ANNOTATIONS.has(keyword));
  const result: JsonObject = { ...named, ...Object.fromEntries(kept) };
  if (result.items !== undefined) result.items = plain(result.items, root);
  if (isObject(result.properties ?? null))
    result.properties = Object.fromEntries(
      Object.entries(result.properties as JsonObject).map(([name, one]) => [name, plain(one, root)]),
    );
  return result;
};

const definition = (ref: string, root: JsonObject): Json | undefined => {
  const [, name] = /^#\/\$defs\/(\w+)$/.exec(ref) ?? [];
  return name === undefined ? undefined : (root.$defs as JsonObject | undefined)?.[name];
};

/**
What a program that was written for the promises `before` can no longer rely on in `after`, and what makes older output
invalid; empty if `after` only adds. Both are results of `promisesOf`.
*/
export const breaksBetween = (before: JsonObject, after: JsonObject, place = "transcript"): string[] => [
  ...[...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((keyword) => !COMPARED.has(keyword) && !isDeepStrictEqual(before[keyword], after[keyword]))
    .map((keyword) => `${place}: ${keyword} was ${text(before[keyword])}, is ${text(after[keyword])}`),
  ...requiredBreaks(before, after, place),
  ...enumBreaks(before, after, place),
  ...dependencyBreaks(before, after, place),
  ...itemBreaks(before, after, place),
  ...propertyBreaks(before, after, place),
];

const text = (value: Json | undefined): string => (value === undefined ? "absent" : JSON.stringify(value));
const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);
const object = (value: Json | undefined): JsonObject => (isObject(value ?? null) ? (value as JsonObject) : {});

const requiredBreaks = (before: JsonObject, after: JsonObject, place: string): string[] => {
  const [old, now] = [list(before.required), list(after.required)];
  return [
    ...old.filter((name) => !now.includes(name)).map((name) => `${place}.${name} is no longer required`),
    ...now.filter((name) => !old.includes(name)).map((name) => `${place}.${name} is newly required`),
  ];
};

const enumBreaks = (before: JsonObject, after: JsonObject, place: string): string[] => {
  if ((before.enum === undefined) !== (after.enum === undefined))
    return [`${place}: enum was ${text(before.enum)}, is ${text(after.enum)}`];
  const now = list(after.enum);
  return list(before.enum)
    .filter((value) => !now.includes(value))
    .map((value) => `${place}: value ${text(value)} was removed`);
};

/** New properties may depend on others. */
const dependencyBreaks = (before: JsonObject, after: JsonObject, place: string): string[] => {
  const [old, now] = [object(before.dependentRequired), object(after.dependentRequired)];
  return Object.keys(object(before.properties))
    .filter((name) => !isDeepStrictEqual(old[name], now[name]))
    .map((name) => `${place}.${name}: dependentRequired was ${text(old[name])}, is ${text(now[name])}`);
};

const itemBreaks = (before: JsonObject, after: JsonObject, place: string): string[] => {
  if (before.items === undefined && after.items === undefined) return [];
  return breaksBetween(object(before.items), object(after.items), `${place}[]`);
};

const propertyBreaks = (before: JsonObject, after: JsonObject, place: string): string[] => {
  const now = object(after.properties);
  return Object.entries(object(before.properties)).flatMap(([name, old]) =>
    now[name] === undefined
      ? [`${place}.${name} was removed`]
      : breaksBetween(object(old), object(now[name]), `${place}.${name}`),
  );
};

/** The places of all properties, for example `transcript.turns[].id`. */
export const propertiesIn = (promises: JsonObject, place = "transcript"): string[] => [
  ...(promises.items === undefined ? [] : propertiesIn(object(promises.items), `${place}[]`)),
  ...Object.entries(object(promises.properties)).flatMap(([name, one]) => [
    `${place}.${name}`,
    ...propertiesIn(object(one), `${place}.${name}`),
  ]),
];
