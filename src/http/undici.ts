import { createRequire } from "node:module";
import type * as undici from "undici";

type Parts = Pick<typeof undici, "Agent" | "EnvHttpProxyAgent">;

const require = createRequire(import.meta.url);

/** The agents of undici. Its main entry also loads fetch, WebSocket, caches and mocks: a tenth of a short run. */
const load = (): Parts => {
  try {
    const Dispatcher = require("undici/lib/dispatcher/dispatcher.js");
    const Agent = require("undici/lib/dispatcher/agent.js");
    const EnvHttpProxyAgent = require("undici/lib/dispatcher/env-http-proxy-agent.js");
    // `request` and the others, as the main entry adds them.
    Object.assign(Dispatcher.prototype, require("undici/lib/api/index.js"));
    return { Agent, EnvHttpProxyAgent };
  } catch {
    // Another version may have these files elsewhere.
    return require("undici");
  }
};

export const { Agent, EnvHttpProxyAgent } = load();
