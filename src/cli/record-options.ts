import type { Option } from "commander";
import { EVENTBRIDGE_DEFAULTS, MEDIA_DEFAULTS } from "../app/defaults.ts";
import { DEFAULT_REGION } from "../core/region.ts";
import type { SourceName } from "../core/transcript.ts";
import { type ArchiveFlags, type ConnectionFlags, cloudOptions, option } from "./options.ts";
import { bytes, several } from "./values.ts";

// Flags for records besides call logs, and for the files of conversations.

export interface EventBridgeFlags {
  bus: string;
  chatsRegion: string;
  agentName?: string;
  queriesRegion: string;
  eventbridgeEndpoint?: string;
}
export const eventBridgeOptions = (): Option[] => [
  option("--bus <name>", "chats: the event bus").default(EVENTBRIDGE_DEFAULTS.bus),
  option("--chats-region <region>", "chats: region of the event bus; --region does not apply").default(
    EVENTBRIDGE_DEFAULTS.chatsRegion,
  ),
  option("--agent-name <name>", "queries: only those of this query agent (default: all)"),
  option("--queries-region <region>", "queries: region of the query agents; --region does not apply").default(
    EVENTBRIDGE_DEFAULTS.queriesRegion,
  ),
  option("--eventbridge-endpoint <url>", "address of EventBridge, instead of the region's address"),
];

export interface SessionFlags {
  session?: string[];
  fromArchive?: boolean;
}
export const sessionOptions = (): Option[] => [
  option("--session <id>", "dialogues: those of this session; repeatable", several),
  option(
    "--from-archive",
    "dialogues: those of the sessions of the calls in the archive; --agent and --since narrow it",
  ),
];

/** `media` is false for `--no-media`. */
export interface RecordingFlags {
  bucket?: string;
  prefix?: string;
  call?: string;
  ossRegion?: string;
  ossEndpoint?: string;
  liveEndpoint?: string;
  vodEndpoint?: string;
  media?: boolean;
  mediaOnly?: boolean;
  maxMediaSize: number;
}
export const recordingOptions = (): Option[] => [
  option("--bucket <name>", "recordings: the bucket that holds them"),
  option("--prefix <text>", "recordings: all files of the bucket whose keys begin with this"),
  option("--call <id>", "recordings: the call that the tasks recorded (default: found by channel and time)"),
  option("--no-media", "download no recordings and no audio"),
  option("--media-only", "recordings: look for nothing new, and download what is not downloaded yet"),
  option("--max-media-size <size>", "reject larger recordings and audio files", bytes).default(
    MEDIA_DEFAULTS.maxMediaSize,
    `${MEDIA_DEFAULTS.maxMediaSize / 1024 ** 3}GB`,
  ),
  option(
    "--oss-region <region>",
    `region of buckets whose places name none (default: that of the agents, ${DEFAULT_REGION})`,
  ),
  option(
    "--oss-endpoint <url>",
    "address of object storage, or the domain of one bucket, instead of the region's address",
  ),
  option("--live-endpoint <url>", "recordings: address of the service that knows the tasks"),
  option("--vod-endpoint <url>", "recordings: address of VOD"),
];

export type DoctorFlags = ConnectionFlags &
  ArchiveFlags &
  Omit<EventBridgeFlags, "agentName"> & { agent?: string[]; source?: SourceName[]; json?: boolean };

const AUDIO = ["--no-media", "--max-media-size", "--oss-region", "--oss-endpoint", "--allow-host", "--profile"];

/** For the audio of callbacks. */
export const audioOptions = (): Option[] =>
  [...recordingOptions(), ...cloudOptions()].filter(({ long }) => AUDIO.includes(long ?? ""));
