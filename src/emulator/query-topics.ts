import type { Random } from "./random.ts";
import type { Language } from "./scenario.ts";

type Cell = string | number | null;
export type Row = readonly Cell[];

/** A question about data in natural language, and what the service makes of it. */
export interface Topic {
  readonly question: string;
  /** What the service asks back when the question is not clear to it. */
  readonly clarification: string;
  readonly reasoning: string;
  /** What the service says before it calls its first tool. */
  readonly opening: string;
  readonly table: string;
  readonly sql: string;
  readonly schema: readonly { Name: string; Type: string }[];
  row(random: Random): Row;
  answer(rows: readonly Row[]): string;
}

const some = (rows: readonly Row[]): string => rows.map(([name, value]) => `${name} ${value ?? "?"}`).join(", ");
const list = (rows: readonly Row[]): string => rows.map(([name, value]) => `${name}:${value ?? "无"}`).join("、");

export const topics: Readonly<Record<Language, readonly Topic[]>> = {
  zh: [
    {
      question: "上周哪些仓库的发货延迟最多?",
      clarification: "您说的延迟,是指超过承诺时间,还是超过二十四小时?",
      reasoning: "需要按仓库汇总延迟的包裹数,先确认包裹表里有没有仓库字段。",
      opening: "我先看一下包裹表的结构。",
      table: "parcels",
      sql: "SELECT warehouse, COUNT(*) AS late\nFROM parcels\nWHERE shipped_at > promised_at\nGROUP BY warehouse\nORDER BY late DESC",
      schema: [
        { Name: "warehouse", Type: "VARCHAR" },
        { Name: "late", Type: "BIGINT" },
      ],
      row: (random) => [random.pick(["嘉兴仓", "佛山仓", "廊坊仓", "成都仓"]), random.int(3, 480)],
      answer: (rows) => `**延迟包裹数**\n\n${list(rows)}。`,
    },
    {
      question: "各个渠道本月的平均客单价是多少?",
      clarification: "客单价要不要扣除退款?",
      reasoning: "客单价等于金额除以订单数,按渠道分组即可。",
      opening: "我来查询订单表。",
      table: "orders",
      sql: "SELECT channel, AVG(amount) AS average FROM orders WHERE month = '2025-07' GROUP BY channel",
      schema: [
        { Name: "channel", Type: "VARCHAR" },
        { Name: "average", Type: "DOUBLE" },
      ],
      row: (random) => [random.pick(["小程序", "门店", "App", "直播间"]), random.int(3900, 52_000) / 100],
      answer: (rows) => `本月平均客单价(元):${list(rows)}。`,
    },
    {
      question: "昨天有多少设备掉线超过一小时?",
      clarification: "是统计所有型号,还是只统计网关?",
      reasoning: "掉线时长在心跳表里,缺失的心跳要按空值处理。",
      opening: "我先找到设备心跳的数据。",
      table: "heartbeats",
      sql: "SELECT model, COUNT(DISTINCT device) AS devices FROM heartbeats WHERE gap_minutes > 60 GROUP BY model",
      schema: [
        { Name: "model", Type: "VARCHAR" },
        { Name: "devices", Type: "BIGINT" },
      ],
      row: (random) => [`GW-${random.digits(2)}`, random.chance(0.1) ? null : random.int(0, 95)],
      answer: (rows) => `掉线超过一小时的设备:${list(rows)}。`,
    },
  ],
  en: [
    {
      question: "Which product lines had the most returns in June?",
      clarification: "Should exchanges count as returns?",
      reasoning: "Returns must be grouped by product line; the line is in the catalog, so a join is needed.",
      opening: "Let me look at the tables for returns first.",
      table: "returns",
      sql: "SELECT c.line, COUNT(*) AS returned\nFROM returns r JOIN catalog c ON c.sku = r.sku\nGROUP BY c.line\nORDER BY returned DESC",
      schema: [
        { Name: "line", Type: "VARCHAR" },
        { Name: "returned", Type: "BIGINT" },
      ],
      row: (random) => [random.pick(["Audio", "Kitchen", "Garden", 'Screens over 27"']), random.int(2, 700)],
      answer: (rows) => `**Returns in June**\n\n${some(rows)}.`,
    },
    {
      question: "How long do customers wait before an agent picks up?",
      clarification: "Do you mean the median wait or the average?",
      reasoning: "The wait is the time between ringing and answer. Calls that nobody answered have no answer time.",
      opening: "I will check how the calls are recorded.",
      table: "calls",
      sql: "SELECT queue, AVG(answered_at - rang_at) AS seconds FROM calls GROUP BY queue",
      schema: [
        { Name: "queue", Type: "VARCHAR" },
        { Name: "seconds", Type: "DOUBLE" },
      ],
      row: (random) => [
        random.pick(["billing", "delivery", "support"]),
        random.chance(0.1) ? null : random.int(40, 2400) / 10,
      ],
      answer: (rows) => `Average wait in seconds: ${some(rows)}.`,
    },
    {
      question: "Compare this week's sign-ups with last week's.",
      clarification: "Which time zone should a week start in?",
      reasoning: "Two weeks are needed, and sign-ups of test accounts should be left out.",
      opening: "I am looking for the table of accounts.",
      table: "accounts",
      sql: "SELECT week, COUNT(*) AS signups FROM accounts WHERE NOT is_test GROUP BY week",
      schema: [
        { Name: "week", Type: "VARCHAR" },
        { Name: "signups", Type: "BIGINT" },
      ],
      row: (random) => [`2025-W${random.int(26, 30)}`, random.int(100, 9000)],
      answer: (rows) => `Sign-ups by week: ${some(rows)}.`,
    },
  ],
};
