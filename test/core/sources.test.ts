import { expect, test } from "vitest";
import { SOURCES } from "../../src/core/sources.ts";
import { parsers } from "../../src/parse/index.ts";

test("--source takes exactly the sources that have a parser", () => {
  expect([...SOURCES].toSorted()).toEqual(Object.keys(parsers).toSorted());
});
