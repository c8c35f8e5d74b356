import type {
  ArchiveRequest,
  CloudRequest,
  ConnectionRequest,
  EventBridgeRequest,
  RunRequest,
  SelectionRequest,
} from "./requests.ts";

// Requests for records besides call logs, and for the files of conversations.

/** For pulls of sources whose conversations have many records. */
interface RecordPullRequest extends ArchiveRequest, RunRequest {
  eventBridge: EventBridgeRequest;
  /** Continue although the archive holds conversations of another region or account. */
  allowOther?: boolean;
  /** Request records again that the archive already has. */
  refresh?: boolean;
  /** How far before the cursor to look again, in seconds. */
  lookback: number;
  /** Also count records that could not be had and were reported before. */
  strict?: boolean;
  /** A source that has never given a record does not make the run `partial`. */
  allowEmpty?: boolean;
  /** A file for records that could not be had, as NDJSON. */
  errorFile?: string;
}

/** Chat logs from the trace of an event bus: by event id, or by time. */
export interface ChatPullRequest
  extends RecordPullRequest,
    Pick<SelectionRequest, "ids" | "idsFile" | "since" | "until" | "tz" | "limit"> {
  /** The event bus. */
  bus: string;
  /** Events requested at once. */
  concurrency: number;
  /** Count what would be requested, and change nothing. */
  dryRun?: boolean;
}

/** The log of natural-language queries. */
export interface QueryPullRequest extends RecordPullRequest {
  /** @default all agents */
  agentName?: string;
}

/** The dialogues of sessions, by the session's id or by the calls in the archive. */
export interface DialoguePullRequest
  extends Omit<RecordPullRequest, "eventBridge" | "lookback">,
    CloudRequest,
    Pick<SelectionRequest, "agents" | "since" | "until" | "tz" | "limit"> {
  sessions?: readonly string[];
  /** The sessions of the calls in the archive; `agents`, `since` and `until` then select calls by their start. */
  fromArchive?: boolean;
}

/** Where files of conversations are downloaded from. */
export interface MediaCloudRequest extends Pick<ConnectionRequest, "region" | "profile" | "keys" | "tps" | "retries"> {
  /** Region of buckets. @default region */
  ossRegion?: string;
  /** Addresses instead of those of the region. */
  ossEndpoint?: string;
  liveEndpoint?: string;
  vodEndpoint?: string;
  /** More hosts to download from: exact, or `*.suffix`. */
  allowHost?: readonly string[];
  /** Files downloaded at once. */
  concurrency: number;
}

/** Recordings, by the ids of tasks, or by bucket and prefix. */
export interface RecordingPullRequest
  extends MediaCloudRequest,
    ArchiveRequest,
    RunRequest,
    Pick<SelectionRequest, "since" | "until" | "tz"> {
  archive: string | false;
  /** Ids of tasks of cloud recording. */
  tasks?: readonly string[];
  bucket?: string;
  /** Of the keys of objects. */
  prefix?: string;
  /** The call that the tasks recorded. @default found by channel and time */
  call?: string;
  /** False: note the files, and download nothing. @default true */
  media?: boolean;
  /** Look for nothing new, and download what is not downloaded yet. */
  mediaOnly?: boolean;
  /** Bytes of one file. */
  maxMediaSize: number;
  errorFile?: string;
  strict?: boolean;
  allowEmpty?: boolean;
  allowOther?: boolean;
}

export interface ImportRequest extends ArchiveRequest, RunRequest {
  /** Files of chat logs, `-` for standard input. @default standard input */
  files: readonly string[];
  /** A file for values that are no chat logs, as NDJSON. */
  errorFile?: string;
}

/** A receiver of what EventBridge and agents deliver. */
export interface ReceiveRequest extends MediaCloudRequest {
  archive: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Where events are posted. */
  path: string;
  /** Where agents post their callbacks, if there is a token for them. */
  callbackPath: string;
  /** A file with the token of the callbacks. @default CALLARCHIVE_CALLBACK_TOKEN of the environment, if it is set */
  callbackTokenFile?: string;
  /** Files in PEM, for https. */
  tlsCert?: string;
  tlsKey?: string;
  /** The address that EventBridge posts to, as it was told. @default the server's own address, on loopback only */
  publicUrl?: string;
  /** The region of the event bus, whose certificate signs. */
  chatsRegion: string;
  /** False: the audio of callbacks is not downloaded. @default true */
  media?: boolean;
  /** Bytes of one audio file. */
  maxMediaSize: number;
  /** A file with the token that EventBridge sends. @default CALLARCHIVE_RECEIVE_TOKEN of the environment, if it is set */
  tokenFile?: string;
  tokenHeader: string;
  /** The only certificate to trust, on loopback: for tests. */
  certificateUrl?: string;
  /** On loopback and with a token only: signatures are not checked. */
  insecureNoSignature?: boolean;
  /** The longest time for one request, in seconds. */
  requestTimeout: number;
}
