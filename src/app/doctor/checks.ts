import { NotFound, Refused } from "../../core/errors.ts";
import type { Connection } from "../cloud.ts";

/** The check of one thing that a run needs. */
export interface Check {
  check: string;
  ok: boolean;
  /** What was found, or what is wrong and what to do. */
  found: string;
  /** Why it is not ok. */
  error?: unknown;
}

/** Looks at one thing, and reports what was found or what is wrong. @param where put before it */
export type Examine = (check: string, look: () => Promise<string>, where?: string) => Promise<void>;

/** An id that no call, no agent and no event has; the answer shows whether the request is permitted. */
export const UNUSED_ID = "00000000000000000000000000000000";
/** Where the credentials come from, and which they are. */
export const credentialsText = async ({ credentials }: Pick<Connection, "credentials">): Promise<string> => {
  const { provider, accessKeyId } = await credentials.get();
  return `from ${provider}, key ${masked(accessKeyId)}`;
};

/** The ends of a key's id, so that people recognise it: at most four characters each, and at most half of it. */
const masked = (id: string): string => {
  const length = Math.min(4, Math.floor(id.length / 4));
  return `${id.slice(0, length)}…${length > 0 ? id.slice(-length) : ""}`;
};

/** Requests something that does not exist: "not found" means that the action is permitted. */
export const checkPermission = async (action: string, request: () => Promise<unknown>): Promise<string> => {
  try {
    await request();
  } catch (error) {
    if (!(error instanceof NotFound || error instanceof Refused)) throw error;
  }
  return `${action} is permitted`;
};

/** Whether the service answers. */
export const reachedText = async ({ serverTime }: Pick<Connection, "serverTime">): Promise<string> =>
  (await serverTime()) ? "reached" : "reached, but its answer has no time";
