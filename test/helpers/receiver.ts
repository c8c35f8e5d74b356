import type { ChildProcess } from "node:child_process";
import { Agent, request } from "node:http";
import type { Emulator } from "../../src/emulator/index.ts";
import type { Ran, Workplace } from "./workplace.ts";

export const TOKEN = "a token of the target";

export interface Running {
  /** Where events are posted. */
  url: string;
  origin: string;
  child: ChildProcess;
  ended: Promise<Ran>;
  /** Asks it to stop, and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<Ran>;
}

/**
Starts `callarchive receive` on a free port, with JSON logs, and waits until it listens.

@param cloud whose certificate it trusts; undefined: that of EventBridge
*/
export const receiver = (
  place: Workplace,
  cloud: Emulator | undefined,
  flags: readonly string[] = [],
  env: Record<string, string> = { CALLARCHIVE_RECEIVE_TOKEN: TOKEN },
): Promise<Running> =>
  new Promise((resolve, reject) => {
    const args = ["receive", "--port", "0", "--log-format", "json", ...flags];
    if (cloud && !flags.includes("--insecure-no-signature")) args.push("--certificate-url", cloud.certificateUrl);
    let child: ChildProcess | undefined;
    let text = "";
    const ended = place.run(args, {
      env,
      started: (started) => {
        child = started;
        started.stderr?.on("data", (part: string) => {
          text += part;
          const url = /"event":"receiving".*?"url":"([^"]+)"/.exec(text)?.[1];
          if (url === undefined || !child) return;
          const running = child;
          const stop = (signal: NodeJS.Signals = "SIGTERM"): Promise<Ran> => {
            running.kill(signal);
            return ended;
          };
          resolve({ url, origin: new URL(url).origin, child: running, ended, stop });
        });
      },
    });
    ended.then((ran) => reject(new Error(`It ended with ${ran.code}: ${ran.stderr}`)), reject);
  });

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Sends a request. Rejects if the connection ends without an answer. */
export const send = (
  url: string,
  body: string | Uint8Array,
  headers: Record<string, string>,
  method = "POST",
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });

/** Delivers a value as EventBridge does: signed, with the token. */
export const deliver = (cloud: Emulator, url: string, value: unknown, token = TOKEN): Promise<Answer> => {
  const body = typeof value === "string" ? value : JSON.stringify(value);
  return send(url, body, cloud.signDelivery({ url, body, token }));
};
