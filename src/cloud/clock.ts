import type { Dispatcher } from "undici";
import { proxyOf } from "../http/agent.ts";
import { transportError } from "../http/transport.ts";

/** The time of an endpoint, in whole seconds; undefined when its answer has no date. Rejects with Unavailable. */
export const serverTime = async (dispatcher: Dispatcher, endpoint: URL): Promise<Date | undefined> => {
  try {
    const { headers, body } = await dispatcher.request({ origin: endpoint.origin, path: "/", method: "HEAD" });
    await body.dump();
    const { date } = headers;
    return typeof date === "string" && !Number.isNaN(Date.parse(date)) ? new Date(date) : undefined;
  } catch (error) {
    throw transportError(error, endpoint.host, "answer", proxyOf(dispatcher, endpoint));
  }
};
