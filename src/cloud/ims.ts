import { NotFound, Refused } from "../core/errors.ts";
import type { Ims, Instance } from "../core/ports.ts";
import { isStandIn } from "../core/stand-in.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { isLoopback } from "../http/hosts.ts";
import { cleanMeta, leastMeta } from "./clean.ts";
import type { Rpc } from "./openapi.ts";

/** Version of the API that describes and lists AI agent instances. */
export const IMS_VERSION = "2020-11-09";

/** Limit for a page of list, in bytes: 100 calls with long prompts and user data exceed the limit of other answers. */
const LIST_BYTES = 64 * 1024 * 1024;

/** The most dialogues that one page may have. */
export const DIALOGUES = 100;

const nonEmpty = (value: Json | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value.toWellFormed() : undefined;

/** A valid id, or undefined; a call without one is identified by its link. */
const idOf = (value: Json | undefined): string | undefined =>
  typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value) && !isStandIn(value) ? value : undefined;

const linkOf = (value: Json | undefined): URL | undefined => {
  const text = nonEmpty(value);
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  // Object stores accept https too, and the signature does not include the scheme. Only loopback may use plain http.
  if (url.protocol === "http:" && !isLoopback(url)) url.protocol = "https:";
  return url.protocol === "https:" || url.protocol === "http:" ? url : undefined;
};

const toInstance = (wire: JsonObject, requestId: string | undefined, askedId?: string): Instance => {
  const id = askedId ?? idOf(wire.InstanceId);
  const link = linkOf(wire.CallLogUrl);
  return {
    ...(id && { id }),
    ...(link && { link }),
    status: nonEmpty(wire.Status) ?? "Unknown",
    meta: metaOf(wire),
    ...(requestId && { requestId }),
  };
};

/** The metadata without secrets. If a hostile call breaks the cleaning, only its plain values are kept. */
const metaOf = (wire: JsonObject): JsonObject => {
  try {
    return cleanMeta(wire);
  } catch {
    return leastMeta(wire);
  }
};

/** `2023-01-01T00:00:00Z`: the service accepts only whole seconds. */
const seconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

/** The Ims port over any client of the service's RPC protocol. */
export const createIms = (rpc: Rpc): Ims => ({
  async describeInstance(id, signal) {
    const { body, requestId } = await rpc("DescribeAIAgentInstance", { InstanceId: id }, { signal });
    if (isObject(body.Instance)) return toInstance(body.Instance, requestId, id);
    throw new Refused("The service's answer holds no instance.", {
      code: "InvalidAnswer",
      ...(requestId && { requestId }),
    });
  },
  async listInstances({ agentId, start, end, page, size }, signal) {
    const query = {
      AIAgentId: agentId,
      StartTime: seconds(start),
      EndTime: seconds(end),
      PageNumber: page,
      PageSize: size,
    };
    const { body, requestId } = await rpc("ListAIAgentInstance", query, { signal, maxBytes: LIST_BYTES }).catch(
      (error: unknown) => {
        if (!(error instanceof NotFound)) throw error;
        const message = `There is no agent ${agentId} in this account and region (${error.facts.code}). Check --agent and --region.`;
        throw new NotFound(message, error.facts);
      },
    );
    // Invalid items count too, because a page that looks short would end the listing.
    return listOf(body.Instances, "instances", requestId).map((item) =>
      toInstance(isObject(item) ? item : {}, requestId),
    );
  },
  async listDialogues({ sessionId, start, end, page, size = DIALOGUES }, signal) {
    const query = {
      SessionId: sessionId,
      StartTime: start.getTime(),
      EndTime: end.getTime(),
      PageNumber: page,
      PageSize: size,
      Order: "ASC",
    };
    const { body, requestId } = await rpc("ListAIAgentDialogues", query, { signal, maxBytes: LIST_BYTES });
    return listOf(body.Dialogues, "dialogues", requestId);
  },
});

const listOf = (list: Json | undefined, name: string, requestId: string | undefined): Json[] => {
  if (list === undefined) return [];
  if (Array.isArray(list)) return list;
  throw new Refused(`The service's answer holds no list of ${name}.`, {
    code: "InvalidAnswer",
    ...(requestId && { requestId }),
  });
};
