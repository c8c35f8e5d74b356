// What a request has where nothing else is asked for. The command line's flags and the library go by the same values.

/** How long running work may still take after a run is asked to end, in milliseconds. */
export const DRAIN_MS = 30_000;

/** Where the command line keeps its archive, relative to the host's folder. */
export const DEFAULT_ARCHIVE = "callarchive.db";

export const CONNECTION_DEFAULTS = { client: "auto", retries: 6 } as const;

export const CLOUD_DEFAULTS = {
  ...CONNECTION_DEFAULTS,
  describe: "auto",
  maxDocumentSize: 64 * 1024 * 1024,
  concurrency: 16,
} as const;

/**
The vendor delivers chat logs to the bus `default` in Beijing, wherever the app runs. Query agents have no documented
region; the vendor's example is in Hangzhou.
*/
export const EVENTBRIDGE_DEFAULTS = {
  bus: "default",
  chatsRegion: "cn-beijing",
  queriesRegion: "cn-hangzhou",
} as const;

export const MEDIA_DEFAULTS = {
  /** Bytes of one file: a recording of many hours fits. */
  maxMediaSize: 20 * 1024 ** 3,
} as const;

export const RECEIVE_DEFAULTS = {
  port: 8480,
  host: "127.0.0.1",
  path: "/events",
  callbackPath: "/callbacks",
  tokenHeader: "x-eventbridge-signature-token",
  requestTimeout: 30,
  /** Audio files downloaded at once. */
  downloads: 4,
} as const;

export const PULL_DEFAULTS = { ...CLOUD_DEFAULTS, archive: DEFAULT_ARCHIVE, lookback: 24 * 3600 } as const;

export const EXPORT_DEFAULTS = { ...PULL_DEFAULTS, rows: "call", csvGuard: true } as const;

/** How long the command that redacts may be silent, in seconds: it may have to load a model first. */
export const REDACT_TIMEOUT = 120;

/** How long the command that scores may be silent, in seconds: a large model may have to be loaded first. */
export const SCORE_TIMEOUT = 600;

/** The format of an output whose name says none. */
export const DEFAULT_FORMAT = "ndjson";

export const DATASET_DEFAULTS = {
  archive: DEFAULT_ARCHIVE,
  task: "chat",
  greeting: "drop",
  system: "auto",
  interrupted: "auto",
  mergeGap: 8,
  specialTokens: "escape",
  expand: "call",
  overBudget: "drop",
  dedupe: "exact",
  split: "train=0.9,validation=0.05,test=0.05",
  splitBy: "conversation",
  seed: "0",
} as const;

/** The presets of a data set that names none. */
export const DEFAULT_PRESETS: readonly string[] = ["messages"];
/** Counts tokens where a limit is set and no tokenizer is named. */
export const DEFAULT_TOKENIZER = "qwen3";

/** A request that may leave out what has a default. */
export type WithDefaults<Request, Defaults> = Omit<Request, keyof Defaults> &
  Partial<Pick<Request, keyof Defaults & keyof Request>>;
