import { cleanMeta } from "../cloud/clean.ts";
import { InvalidDocument } from "../core/errors.ts";
import { advanceOf } from "../core/flow/advance.ts";
import { isUsableId } from "../core/ids.ts";
import type { EventBridge, LogPage } from "../core/ports.ts";
import type { Arrival } from "../core/records.ts";
import { isObject, type Json } from "../core/transcript.ts";
import { numeric, textual } from "../parse/values.ts";

export interface QueryLogOptions {
  eventBridge: Pick<EventBridge, "queryLog">;
  agentName?: string;
  signal?: AbortSignal;
}

/**
The pages of the query log, from its beginning to its end.

The next page begins at the place that the service names, or else after the last entry.

@throws Refused when the pages do not advance, and the service's errors
*/
export async function* queryLogPages({ eventBridge, agentName, signal }: QueryLogOptions): AsyncGenerator<Json[]> {
  const seen = new Set<string>();
  const advance = advanceOf("the query log");
  let after: string | undefined;
  for (;;) {
    const query = { ...(agentName !== undefined && { agentName }), ...(after !== undefined && { after }) };
    const page = await eventBridge.queryLog(query, signal);
    yield page.entries;
    if (!page.hasMore) return;
    const known = seen.size;
    for (const entry of page.entries) seen.add(messageId(entry) ?? "");
    after = placeAfter(page);
    advance(after, seen.size > known);
  }
}

const placeAfter = ({ entries, lastKey }: LogPage): string | undefined => lastKey ?? messageId(entries.at(-1));

/** The id of an entry; undefined if it has none. */
export const messageId = (entry: Json | undefined): string | undefined =>
  isObject(entry) ? textual(entry.MessageId) : undefined;

/** When an entry was created; undefined if it does not say so. */
export const createdAt = (entry: Json): Date | undefined => {
  const at = isObject(entry) ? numeric(entry.CreatedAt) : undefined;
  return at === undefined || Number.isNaN(new Date(at).getTime()) ? undefined : new Date(at);
};

/**
The record of an entry. An entry without a conversation is one of its own.

@throws InvalidDocument when it lacks what identifies it
*/
export const queryArrival = (entry: Json): Arrival => {
  if (!isObject(entry)) throw new InvalidDocument("the entry is not an object", "NotAQuery");
  const id = messageId(entry);
  if (id === undefined || !isUsableId(id)) throw new InvalidDocument("the entry has no usable MessageId", "NotAQuery");
  const conversation = textual(entry.ConversationId) ?? id;
  if (!isUsableId(conversation)) throw new InvalidDocument("the entry has no usable ConversationId", "NotAQuery");
  const at = createdAt(entry);
  const agentId = textual(entry.AgentName);
  return {
    source: "queries",
    conversation,
    ...(agentId !== undefined && { agentId }),
    record: {
      id,
      ...(at !== undefined && { at }),
      ...(entry.Status === "RUNNING" && { running: true }),
      data: cleanMeta(entry),
    },
  };
};
