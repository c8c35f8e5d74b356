import { type Row, type Topic, topics } from "./query-topics.ts";
import type { Random } from "./random.ts";
import type { Language } from "./scenario.ts";

export type QueryStatus = "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMEOUT";
export type QuerySource = "MCP" | "CHAT";

/** A message in the AG-UI format. */
type QueryMessage = {
  Id: string;
  Role: "assistant" | "tool";
  Content: string;
  Reasoning?: string;
  ToolCallId?: string;
  ToolCalls?: { Id: string; Type: "function"; Function: { Name: string; Arguments: string } }[];
  Metadata?: { Attachments: { Name: string; Type: string } };
};

/** An entry of the query log, as the service returns it. Absent keys are not sent. */
export type QueryEntry = {
  MessageId: string;
  ConversationId: string;
  AgentName: string;
  Question: string;
  Status: QueryStatus;
  ClarificationNeeded: boolean;
  ClarificationQuestion?: string;
  Content: {
    TextAttachments: string[];
    QueryAttachments: {
      Query: string;
      Result?: {
        Schema: { Name: string; Type: string }[];
        /** JSON text. */
        Rows: string;
        RowCount: number;
        TotalRows: number;
        IsTruncated: boolean;
      };
    }[];
    /** Only of entries with Source CHAT. */
    MessageAttachments?: QueryMessage[];
  };
  IsError: boolean;
  ErrorCode?: string;
  ErrorMessage?: string;
  /** Milliseconds since 1970, as text. */
  CreatedAt: string;
  /** 0 while it is running. */
  DurationMs: number;
  Source: QuerySource;
};

/** What is known of an entry before its question is answered. */
export interface QueryHead {
  readonly id: string;
  /** When it was asked, in milliseconds. */
  readonly at: number;
  readonly conversation: string;
  readonly agent: string;
  readonly source: QuerySource;
  readonly language: Language;
  readonly account: string;
  readonly question?: string | undefined;
  readonly answer?: string | undefined;
}

/** How long the service waits for a statement; the message of a TIMEOUT names it. */
const TIMEOUT_MS = 60_000;

type Outcome = QueryStatus | "UNCLEAR";

const errors = {
  FAILED: { ErrorCode: "ExecutionFailed", ErrorMessage: "The statement could not be executed: no such column." },
  TIMEOUT: { ErrorCode: "ExecutionTimeout", ErrorMessage: "The statement did not end within 60 seconds." },
} as const;

const outcomeBy = (luck: number): Outcome => {
  if (luck < 0.06) return "FAILED";
  if (luck < 0.11) return "TIMEOUT";
  return luck < 0.19 ? "UNCLEAR" : "SUCCEEDED";
};

/** Writes the entry of a question. @param given its status; otherwise it is decided by chance */
export const createQueryEntry = (random: Random, head: QueryHead, given?: QueryStatus): QueryEntry => {
  const topic = random.pick(topics[head.language]);
  const luck = outcomeBy(random.next());
  const outcome = given ?? luck;
  const isWrapped = random.chance(0.4);
  const wrap = (text: string): string => (isWrapped ? JSON.stringify(text) : text);
  const rows = Array.from({ length: random.int(1, 6) }, () => topic.row(random));
  const missing = random.chance(0.2) ? random.int(10, 5000) : 0;
  const duration = random.int(700, TIMEOUT_MS);
  const answer = head.answer ?? topic.answer(rows);
  const messages = messagesOf(random, head, topic, { outcome, rows, answer });
  const hasAnswer = outcome === "SUCCEEDED";
  const result = {
    Schema: topic.schema.map((column) => ({ ...column })),
    Rows: JSON.stringify(rows),
    RowCount: rows.length,
    TotalRows: rows.length + missing,
    IsTruncated: missing > 0,
  };
  const query = { Query: wrap(topic.sql), ...(hasAnswer && { Result: result }) };
  return {
    MessageId: head.id,
    ConversationId: head.conversation,
    AgentName: head.agent,
    Question: head.question ?? topic.question,
    Status: outcome === "UNCLEAR" ? "SUCCEEDED" : outcome,
    ClarificationNeeded: outcome === "UNCLEAR",
    ...(outcome === "UNCLEAR" && { ClarificationQuestion: topic.clarification }),
    Content: {
      TextAttachments: hasAnswer ? [wrap(answer)] : [],
      QueryAttachments: outcome === "UNCLEAR" || outcome === "RUNNING" ? [] : [query],
      ...(head.source === "CHAT" && { MessageAttachments: messages }),
    },
    IsError: outcome === "FAILED" || outcome === "TIMEOUT",
    ...((outcome === "FAILED" || outcome === "TIMEOUT") && errors[outcome]),
    CreatedAt: String(head.at),
    DurationMs: outcome === "RUNNING" ? 0 : outcome === "TIMEOUT" ? TIMEOUT_MS : duration,
    Source: head.source,
  };
};

interface Course {
  outcome: Outcome;
  rows: readonly Row[];
  answer: string;
}

/** The messages until the answer, or until the point that was reached. */
const messagesOf = (random: Random, head: QueryHead, topic: Topic, course: Course): QueryMessage[] => {
  const { outcome, rows, answer } = course;
  const nextId = (): string => `${head.id}_${random.hex(8)}`;
  const call = (name: string, values: unknown): { id: string; calls: NonNullable<QueryMessage["ToolCalls"]> } => {
    const id = `call_${random.hex(12)}`;
    return { id, calls: [{ Id: id, Type: "function", Function: { Name: name, Arguments: JSON.stringify(values) } }] };
  };
  const name = `acs:eventbridge:cn-beijing:${head.account}:eventhouse/emulator/namespace/sales/table/${topic.table}`;
  const lookup = call("describeTable", { table: topic.table });
  const run = call("executeSql", { sql: topic.sql });
  const failure = { error: errors.FAILED.ErrorMessage };
  const messages: QueryMessage[] = [
    {
      Id: nextId(),
      Role: "assistant",
      Content: topic.opening,
      Reasoning: topic.reasoning,
      ToolCalls: lookup.calls,
      Metadata: { Attachments: { Name: name, Type: "inner-resource/event-table" } },
    },
    { Id: nextId(), Role: "tool", Content: JSON.stringify({ columns: topic.schema }), ToolCallId: lookup.id },
    { Id: nextId(), Role: "assistant", Content: "", ToolCalls: run.calls },
    { Id: nextId(), Role: "tool", Content: JSON.stringify(outcome === "FAILED" ? failure : rows), ToolCallId: run.id },
    { Id: nextId(), Role: "assistant", Content: answer },
  ];
  return messages.slice(0, REACHED[outcome]);
};

/** How many of the messages there are. */
const REACHED: Readonly<Record<Outcome, number>> = { UNCLEAR: 0, RUNNING: 1, TIMEOUT: 3, FAILED: 4, SUCCEEDED: 5 };
