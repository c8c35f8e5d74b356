import { InvalidDocument } from "../core/errors.ts";
import type { StoredConversation } from "../core/records.ts";
import { isObject, type Json, type JsonObject, type ToolCall, type Transcript, type Turn } from "../core/transcript.ts";
import { clockOf, objectAt, provenanceOf, recordsOf, spanOf } from "./many-records.ts";
import { extraOf, instant, textual } from "./values.ts";

/**
The transcript of a chat session: an exchange of user and agent for each of its events, by time.

Source: "Chat log format" of the vendor's page about EventBridge. An event has the request in `data.input` and the
response in `data.output`. `chat_history` repeats earlier exchanges, so it makes no turns.

@throws InvalidDocument when the records are no chat events
*/
export const chatTranscript = (conversation: StoredConversation): Transcript => {
  const { id, agentId, startedAt } = conversation;
  const events = recordsOf(conversation, "NotAChatLog");
  const start = startedAt === undefined ? undefined : Date.parse(startedAt);
  const turns: Turn[] = [];
  let user: string | undefined;
  let end: number | undefined;
  for (const event of events) {
    const at = instant(event.time);
    const clock = at === undefined ? {} : clockOf(at, start);
    const data = objectAt(event, "data");
    turns.push(...exchange(textual(event.id) ?? String(turns.length + 1), data, clock));
    user ??= textual(objectAt(objectAt(objectAt(data, "input"), "biz_params"), "user").user_id);
    if (at !== undefined) end = Math.max(end ?? at, at);
  }
  return {
    id: id.toWellFormed(),
    source: "chats",
    ...(agentId !== undefined && { agentId: agentId.toWellFormed() }),
    sessionId: id.toWellFormed(),
    ...spanOf(conversation, end),
    participants: user === undefined ? {} : { remoteUserId: user },
    turns,
    provenance: provenanceOf(conversation),
  };
};

/** The turns of one event. The service gives one time for both. */
const exchange = (id: string, data: JsonObject, clock: Pick<Turn, "begin" | "at">): Turn[] => {
  const { input, output, code, message, requestId: _r, sessionId: _s, ...unknown } = data;
  const request = isObject(input) ? input : {};
  const { prompt, ...restOfRequest } = request;
  const response = isObject(output) ? output : {};
  const { output: answer, ...restOfResponse } = response;
  const { text, commands, ...restOfAnswer } = isObject(answer) ? answer : {};
  const toolCalls = callsOf(id, commands);
  const turns: Turn[] = [];
  const asked = textual(prompt) ?? (typeof input === "string" ? textual(input) : undefined);
  const extraOfRequest = nonEmpty(restOfRequest);
  if (asked !== undefined || extraOfRequest)
    turns.push({
      id: `${id}-user`,
      role: "user",
      kind: "normal",
      text: asked ?? "",
      ...clock,
      ...(extraOfRequest && { extra: extraOfRequest }),
    });
  const said = textual(text) ?? (typeof output === "string" ? textual(output) : undefined);
  const failure = { ...(textual(code) && { code }), ...(textual(message) && { message }) };
  const extra = nonEmpty({
    ...restOfResponse,
    ...restOfAnswer,
    ...(Array.isArray(commands) || commands === undefined ? {} : { commands }),
    ...failure,
    ...unknown,
  });
  if (said !== undefined || toolCalls.length > 0 || extra)
    turns.push({
      id,
      role: "agent",
      kind: "normal",
      text: said ?? "",
      ...clock,
      ...(toolCalls.length > 0 && { toolCalls }),
      ...(extra && { extra }),
    });
  return turns;
};

/** Commands to the device are calls of tools, with their parameters as arguments. */
const callsOf = (id: string, commands: Json | undefined): ToolCall[] =>
  (Array.isArray(commands) ? commands : []).filter(isObject).map(({ name, params, ...rest }, at) => ({
    id: `${id}-${at + 1}`,
    name: textual(name) ?? "unknown",
    arguments: JSON.stringify({ ...argumentsOf(params), ...rest }),
  }));

/** Values by name; of a parameter with a normalised value, both. */
const argumentsOf = (params: Json | undefined): JsonObject => {
  if (!Array.isArray(params)) return params === undefined ? {} : { params };
  return Object.fromEntries(
    params.filter(isObject).map(({ name, value, norm_value, ...rest }): [string, Json] => {
      const plain = (norm_value === undefined || norm_value === value) && Object.keys(rest).length === 0;
      const whole = { ...(value !== undefined && { value }), ...(norm_value !== undefined && { norm_value }), ...rest };
      return [textual(name) ?? "", plain ? (value ?? null) : whole];
    }),
  );
};

const nonEmpty = (value: JsonObject): JsonObject | undefined =>
  extraOf(value, {}, (reason) => new InvalidDocument(reason, "NotAChatLog"));
