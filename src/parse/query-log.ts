import { InvalidDocument } from "../core/errors.ts";
import type { StoredConversation } from "../core/records.ts";
import {
  isObject,
  type Json,
  type JsonObject,
  QUERY_KINDS,
  type ToolCall,
  type Transcript,
  type Turn,
} from "../core/transcript.ts";
import { clockOf, objectAt, provenanceOf, recordsOf, spanOf } from "./many-records.ts";
import { extraOf, numeric, textual } from "./values.ts";
import { parseExact } from "./values-exact.ts";

/** The name of the tool call that a query is written as, if the messages have no call with this query. */
export const QUERY_TOOL = "query";

/**
The transcript of a conversation with a query agent: the turns of each entry of the log, by time.

Source: the vendor's page of QueryAskLumaLog. An entry is a question of the user; what came before the answer (messages
with reasoning, tool calls and their results); its queries, each as the call of a tool and a turn with the result in
`data`; and the answer. Entries of the source CHAT have their answer in the messages, the others in the text.

@throws InvalidDocument when the records are no entries of the log
*/
export const queryTranscript = (conversation: StoredConversation): Transcript => {
  const { id, agentId, startedAt } = conversation;
  const start = startedAt === undefined ? undefined : Date.parse(startedAt);
  const turns: Turn[] = [];
  let end: number | undefined;
  let status: string | undefined;
  for (const entry of recordsOf(conversation, "NotAQuery")) {
    const at = numeric(entry.CreatedAt);
    const clock = at === undefined ? {} : clockOf(at, start);
    turns.push(...entryTurns(entry, clock));
    status = textual(entry.Status) ?? status;
    if (at !== undefined) end = Math.max(end ?? at, at + (numeric(entry.DurationMs) ?? 0));
  }
  return {
    id: id.toWellFormed(),
    source: "queries",
    ...(agentId !== undefined && { agentId: agentId.toWellFormed() }),
    sessionId: id.toWellFormed(),
    ...spanOf(conversation, end),
    ...(status !== undefined && { status }),
    participants: {},
    turns,
    provenance: provenanceOf(conversation),
  };
};

type Clock = Pick<Turn, "begin" | "at">;

const entryTurns = (entry: JsonObject, clock: Clock): Turn[] => {
  const { MessageId, ConversationId: _c, AgentName: _a, CreatedAt: _t, Question, Content, ...rest } = entry;
  const { ClarificationNeeded, ClarificationQuestion, ...outcome } = rest;
  const id = textual(MessageId) ?? "1";
  const { TextAttachments, QueryAttachments, MessageAttachments, ...restOfContent } = isObject(Content) ? Content : {};
  const isChat = textual(entry.Source) === "CHAT";
  const messages = isChat ? listOf(MessageAttachments).map((each, at) => messageTurn(id, each, at + 1, clock)) : [];
  const texts = isChat ? [] : listOf(TextAttachments).flatMap((each) => plainText(each) ?? []);

  // The messages may begin with the question itself.
  const [first] = messages;
  const question = textual(Question);
  const isAsked = first?.role === "user" && first.text === question;
  const asked: Turn[] =
    question === undefined || isAsked
      ? []
      : [{ id: `${id}-user`, role: "user", kind: "normal", text: question, ...clock }];
  const answers = texts.map(
    (text, at): Turn => ({
      id: texts.length === 1 ? id : `${id}-${at + 1}`,
      role: "agent",
      kind: "normal",
      text,
      ...clock,
    }),
  );
  // The last message that calls no tool is the answer, and comes after the queries that it is based on.
  const last = messages.at(-1);
  const closing = last?.role === "agent" && last.toolCalls === undefined ? messages.splice(-1) : [];
  // Messages that ran a query show it already.
  const queries = listOf(QueryAttachments)
    .map(queryOf)
    .flatMap((each, at) => (mark(messages, each) ? [] : queryTurns(`${id}-query-${at + 1}`, each, clock)));
  const clarification = textual(ClarificationQuestion);
  // The service fills in the question only when one is needed, but says so in a field of its own.
  const clarifying: Turn[] =
    clarification === undefined || ClarificationNeeded === false
      ? []
      : [
          {
            id: `${id}-clarification`,
            role: "agent",
            kind: QUERY_KINDS.clarification,
            text: clarification,
            ...clock,
          },
        ];
  const turns = [...asked, ...messages, ...queries, ...answers, ...closing, ...clarifying];
  const extra = nonEmpty({
    ...outcome,
    ...(ClarificationNeeded !== undefined && { ClarificationNeeded }),
    ...(clarifying.length === 0 && ClarificationQuestion !== undefined && { ClarificationQuestion }),
    ...restOfContent,
    ...(Content !== undefined && !isObject(Content) && { Content }),
    // Never both: the other one is kept beside the turns.
    ...(isChat ? defined({ TextAttachments }) : defined({ MessageAttachments })),
  });
  if (!extra) return turns;
  const bearer = turns.at(-1);
  if (!bearer) return [{ id, role: "agent", kind: "normal", text: "", ...clock, extra }];
  return [...turns.slice(0, -1), { ...bearer, extra: { ...bearer.extra, ...extra } }];
};

const ROLES: Readonly<Record<string, string>> = { assistant: "agent", developer: "system" };

/** A message of the AG-UI protocol. */
const messageTurn = (entry: string, message: Json, position: number, clock: Clock): Turn => {
  const { Id, Role, Content, Reasoning, ToolCallId, ToolCalls, ...rest } = isObject(message) ? message : {};
  const role = textual(Role)?.toLowerCase() ?? "unknown";
  const reasoning = textual(Reasoning);
  const toolCallId = textual(ToolCallId);
  const toolCalls = listOf(ToolCalls)
    .filter(isObject)
    .map((call, at) => toolCall(call, `${entry}-${position}-${at + 1}`));
  const content = textual(Content);
  const unknown = nonEmpty({
    ...rest,
    ...(content === undefined && Content !== undefined && Content !== null && Content !== "" && { Content }),
    ...(!isObject(message) && { message }),
  });
  return {
    id: textual(Id) ?? `${entry}-${position}`,
    role: ROLES[role] ?? role,
    kind: "normal",
    text: content ?? "",
    ...clock,
    ...(reasoning !== undefined && { reasoning }),
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(toolCallId !== undefined && { toolCallId }),
    ...(unknown && { extra: unknown }),
  };
};

const toolCall = (call: JsonObject, id: string): ToolCall => {
  const called = objectAt(call, "Function");
  const { Arguments } = called;
  return {
    id: textual(call.Id) ?? id,
    name: textual(called.Name) ?? "unknown",
    arguments: typeof Arguments === "string" ? Arguments.toWellFormed() : JSON.stringify(Arguments ?? {}),
  };
};

/** A query of an entry, with its result. */
interface QueryAttachment {
  sql: string;
  /** The result; absent when there is none. */
  data?: JsonObject;
  /** The rows as text, as the service wrote them: long numbers are text in the data. */
  rows: string;
  extra?: JsonObject;
}

const queryOf = (attachment: Json): QueryAttachment => {
  const { Query, Result, ...rest } = isObject(attachment) ? attachment : {};
  const sql = plainText(Query) ?? "";
  const extra = nonEmpty({ ...rest, ...(!isObject(attachment) && { attachment }) });
  if (!isObject(Result)) return { sql, rows: "", ...(extra && { extra }) };
  const { Schema, Rows, RowCount, TotalRows, IsTruncated, ...unknown } = Result;
  const schema = listOf(Schema).map((column) =>
    isObject(column) ? { name: column.Name ?? null, type: column.Type ?? null } : column,
  );
  const data = defined({
    query: sql,
    schema,
    rows: typeof Rows === "string" ? (parsed(Rows) ?? Rows) : Rows,
    rowCount: RowCount,
    totalRows: TotalRows,
    truncated: IsTruncated,
    ...unknown,
  });
  const rows = typeof Rows === "string" ? Rows.trim() : JSON.stringify(Rows ?? []);
  return { sql, data: nonEmpty(data) ?? {}, rows: rows.toWellFormed(), ...(extra && { extra }) };
};

/**
Marks the messages that ran a query: the call of a tool with this query among its arguments, and the result of the call.

@returns false when no message did; then the query needs turns of its own
*/
const mark = (messages: Turn[], { sql, data, extra }: QueryAttachment): boolean => {
  const ran = ({ arguments: text }: ToolCall): boolean => {
    const values = parsed(text);
    return (
      isObject(values) && Object.values(values).some((each) => typeof each === "string" && each.trim() === sql.trim())
    );
  };
  for (const message of messages) {
    const call = message.kind === "normal" ? message.toolCalls?.find(ran) : undefined;
    const result = call && messages.find(({ role, toolCallId }) => role === "tool" && toolCallId === call.id);
    if (!call || !result) continue;
    message.kind = QUERY_KINDS.query;
    result.kind = QUERY_KINDS.result;
    if (data) result.data = data;
    if (extra) message.extra = { ...message.extra, ...extra };
    return true;
  }
  return false;
};

/** A query as a tool call, and its result, if it has one. */
const queryTurns = (id: string, { sql, data, rows, extra }: QueryAttachment, clock: Clock): Turn[] => {
  const call: Turn = {
    id,
    role: "agent",
    kind: QUERY_KINDS.query,
    text: "",
    ...clock,
    toolCalls: [{ id, name: QUERY_TOOL, arguments: JSON.stringify({ query: sql }) }],
    ...(extra && { extra }),
  };
  if (!data) return [call];
  return [
    call,
    { id: `${id}-result`, role: "tool", kind: QUERY_KINDS.result, text: rows, ...clock, toolCallId: id, data },
  ];
};

/** Some texts come as a JSON string in a string: unwrapped only if the whole text is one. */
const plainText = (value: Json | undefined): string | undefined => {
  const text = textual(value);
  const inner = text !== undefined && /^\s*".*"\s*$/su.test(text) ? parsed(text) : undefined;
  return typeof inner === "string" ? textual(inner) : text;
};

const parsed = (text: string): Json | undefined => {
  try {
    return parseExact(text);
  } catch {
    return undefined;
  }
};

const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? [...value] : []);

const defined = (value: Record<string, Json | undefined>): JsonObject =>
  Object.fromEntries(Object.entries(value).filter((pair): pair is [string, Json] => pair[1] !== undefined));

const nonEmpty = (value: JsonObject): JsonObject | undefined =>
  extraOf(value, {}, (reason) => new InvalidDocument(reason, "NotAQuery"));
