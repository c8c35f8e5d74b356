import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { parsesAsSql } from "../../../src/transforms/sql/parses.ts";

describe("SQL parses", () => {
  it.each([
    "SELECT city, COUNT(*) AS cnt FROM events GROUP BY city;",
    'SELECT "timestamp", "order" FROM "my_catalog"."ns"."events" LIMIT 10',
    "SELECT `timestamp` FROM `events` LIMIT 5, 10",
    "SELECT 城市, COUNT(*) AS 数量 FROM 订单 GROUP BY 城市",
    "SELECT date_trunc('day', ts) AS d FROM events WHERE ts >= now() - interval '7' day GROUP BY 1 ORDER BY 1 NULLS LAST",
    "WITH t AS (SELECT a, ROW_NUMBER() OVER (PARTITION BY b ORDER BY a DESC) AS n FROM o) SELECT * FROM t WHERE n <= 3",
    "SELECT TRY_CAST(a AS BIGINT), count(*) FILTER (WHERE ok) FROM t",
    "SELECT GROUP_CONCAT(DISTINCT a SEPARATOR ',') FROM t",
    "SELECT ts AT TIME ZONE 'Asia/Shanghai' FROM t",
    "SELECT data->>'$.user.id' FROM events",
    "-- by city\nSELECT 1 /* one */",
  ])("in one of the dialects: %s", (sql) => {
    expect(parsesAsSql(sql)).toBe(true);
  });

  it.each([
    "",
    ";",
    "-- nothing",
    "SELECT",
    "SELECT a,, b FROM t",
    "SELECT a FROM t WHERE",
    "SELECT 'a FROM t",
    "SELECT (a FROM t",
    "SELECT a FROM t JOIN",
    "SELECT a FROM t; and the rest",
    "```sql\nSELECT 1\n```",
    "SELECT a FROM t WHERE b = <PHONE_1>",
    "我不知道",
    "There is no such table.",
    "'); DROP",
  ])("not: %s", (text) => {
    expect(parsesAsSql(text)).toBe(false);
  });
});

const word = fc.constantFrom("city", "day", "amount", "状态", "user_id");
const value = fc.oneof(
  fc.integer({ min: 0 }).map(String),
  fc.string().map((text) => `'${text.replaceAll(/['\\]/g, "")}'`),
);
const condition = fc.tuple(word, fc.constantFrom("=", "<", ">=", "<>"), value).map((parts) => parts.join(" "));
const query = fc
  .record({
    columns: fc.uniqueArray(word, { minLength: 1 }),
    conditions: fc.array(condition, { maxLength: 4 }),
    limit: fc.option(fc.nat()),
  })
  .map(({ columns, conditions, limit }) => {
    const where = conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "";
    const end = limit === null ? "" : ` LIMIT ${limit}`;
    return `SELECT ${columns.join(", ")}, COUNT(*) AS n FROM events${where} GROUP BY ${columns.join(", ")}${end}`;
  });

describe("property", () => {
  test("a query parses, with one bracket or quote more it does not, and no text raises an error", () => {
    fc.assert(
      fc.property(query, fc.constantFrom("(", ")", "'"), (sql, extra) => {
        expect([sql, parsesAsSql(sql)]).toEqual([sql, true]);
        expect([sql, extra, parsesAsSql(`${sql} ${extra}`)]).toEqual([sql, extra, false]);
      }),
      { seed: 7, numRuns: 200 },
    );
    fc.assert(
      fc.property(fc.string(), (text) => typeof parsesAsSql(text) === "boolean"),
      { seed: 7, numRuns: 200 },
    );
  });

  test("brackets nested deeper than the stack are no SQL, and do not end the program", () => {
    expect(parsesAsSql(`SELECT ${"(".repeat(100_000)}1${")".repeat(100_000)}`)).toBe(false);
  });
});
