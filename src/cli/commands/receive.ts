import { Option } from "commander";
import { CONNECTION_DEFAULTS, EVENTBRIDGE_DEFAULTS, RECEIVE_DEFAULTS } from "../../app/defaults.ts";
import type { ReceiveRequest } from "../../app/record-requests.ts";
import type { CommandSpec } from "../command-spec.ts";
import { EXIT, TimeUp } from "../exit-codes.ts";
import { archiveOption, maxDurationOption } from "../options.ts";
import { audioOptions } from "../record-options.ts";
import { seconds, whole } from "../values.ts";

type Flags = ReceiveRequest & { maxDuration?: number };

export const receive: CommandSpec<Flags> = {
  description: `Receives what is pushed, until Ctrl-C: the callbacks of agents, and chat logs that an HTTP target of EventBridge
delivers. Each is acknowledged when it is on disk, in an inbox beside the archive, so that pulls and exports can run meanwhile. Every command that writes to the archive
first takes over what is in the inbox; so does receive itself, every few seconds.

Callbacks need their token. Signatures of EventBridge are checked; any account can let EventBridge sign a delivery to this
address, so set a token for it, too.
Exit 0 after a signal.`,
  options: {
    Server: [
      new Option("--port <n>", "port to listen on; 0 takes a free one")
        .default(RECEIVE_DEFAULTS.port)
        .argParser(whole(0, 65_535)),
      new Option("--host <host>", "address to listen on").default(RECEIVE_DEFAULTS.host),
      new Option("--path <path>", "where events are posted").default(RECEIVE_DEFAULTS.path),
      new Option("--tls-cert <file>", "serve https with this certificate, in PEM (default: http, behind a proxy)"),
      new Option("--tls-key <file>", "the key of this certificate, in PEM"),
      new Option("--request-timeout <time>", "longest time for one request")
        .default(RECEIVE_DEFAULTS.requestTimeout, "30s")
        .argParser(seconds),
    ],
    "Events of EventBridge": [
      new Option(
        "--public-url <url>",
        "the address in the HTTP target of EventBridge, which is signed; needed unless --host is on loopback",
      ),
      new Option("--chats-region <region>", "region of the event bus, whose certificate signs").default(
        EVENTBRIDGE_DEFAULTS.chatsRegion,
      ),
      new Option(
        "--token-file <file>",
        "file with the token of the HTTP target (default: CALLARCHIVE_RECEIVE_TOKEN of the environment, if set)",
      ),
      new Option("--token-header <name>", "header that carries the token").default(RECEIVE_DEFAULTS.tokenHeader),
      new Option("--insecure-no-signature", "check the token only; --host must be on loopback"),
      new Option("--certificate-url <url>", "for tests: trust this certificate on loopback, and no other"),
    ],
    Callbacks: [
      new Option("--callback-path <path>", "where agents post their callbacks").default(RECEIVE_DEFAULTS.callbackPath),
      new Option(
        "--callback-token-file <file>",
        "file with the token of the callbacks (default: CALLARCHIVE_CALLBACK_TOKEN of the environment); without a token there are no callbacks",
      ),
      ...audioOptions(),
    ],
    Archive: [archiveOption(), maxDurationOption()],
  },
  examples: [
    ["receive --callback-token-file token", "the callbacks of agents, behind a proxy that passes /callbacks on"],
    [
      "receive --public-url https://logs.example.com/events --token-file token",
      "behind a proxy that ends TLS and passes /events on to port 8480",
    ],
    ["status", "also how many records wait in the inbox"],
  ],
  run: async (input) => {
    const { flags, logger } = input;
    const { runReceive } = await import("../../app/receive/receive.ts");
    const { listen } = await import("../../web/receiver/server.ts");
    const { count, duration, plural } = await import("../../core/wording.ts");
    const { withContext } = await import("../context.ts");
    return withContext(input, flags.maxDuration, async (context) => {
      const { ms, ...counts } = await runReceive(requestOf(flags), context, listen);
      const { received, stored, repeated, other, refused, audio, waiting } = counts;
      const exitCode = context.closing.reason instanceof TimeUp ? EXIT.timeUp : EXIT.complete;
      logger.record("summary", { ...counts, ...(audio && { audio: { ...audio } }), ms, exitCode });
      logger.message(
        `${plural(received, "record")} received: ${count(stored)} stored, ${count(repeated)} already in the inbox, ${count(other)} of other types; ${plural(refused, "request")} refused; ${duration(ms)}`,
      );
      if (audio)
        logger.message(
          `${plural(audio.downloaded, "audio file")} downloaded; ${plural(audio.failed, "attempt")} failed.`,
        );
      if (waiting > 0) logger.message(`${plural(waiting, "record")} in the inbox: the next run takes them over.`);
      return exitCode;
    });
  },
};

const requestOf = ({
  archive,
  host,
  port,
  path,
  callbackPath,
  callbackTokenFile,
  tlsCert,
  tlsKey,
  publicUrl,
  chatsRegion,
  tokenFile,
  tokenHeader,
  certificateUrl,
  insecureNoSignature,
  requestTimeout,
  media,
  allowHost,
  ossRegion,
  ossEndpoint,
  profile,
  maxMediaSize,
}: Flags): ReceiveRequest => ({
  archive,
  host,
  port,
  path,
  callbackPath,
  chatsRegion,
  tokenHeader,
  requestTimeout,
  maxMediaSize,
  retries: CONNECTION_DEFAULTS.retries,
  concurrency: RECEIVE_DEFAULTS.downloads,
  ...(tlsCert !== undefined && { tlsCert }),
  ...(tlsKey !== undefined && { tlsKey }),
  ...(publicUrl !== undefined && { publicUrl }),
  ...(tokenFile !== undefined && { tokenFile }),
  ...(callbackTokenFile !== undefined && { callbackTokenFile }),
  ...(media === false && { media }),
  ...(allowHost && { allowHost }),
  ...(ossRegion !== undefined && { ossRegion }),
  ...(ossEndpoint !== undefined && { ossEndpoint }),
  ...(profile !== undefined && { profile }),
  ...(certificateUrl !== undefined && { certificateUrl }),
  ...(insecureNoSignature && { insecureNoSignature }),
});
