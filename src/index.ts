// The library surface: what programs may import. Everything else may change without notice.

// Runs: a request and a context in, a summary out.

export type { AppContext as Context, RunOutcome, Step } from "./app/context.ts";
export { type ContextOptions, createContext, type ProcessLike } from "./app/library/context.ts";
export type { DatasetRequest, ExportRequest, PullRequest } from "./app/library/requests.ts";
export {
  buildDataset,
  type DatasetSummary,
  type ExportSummary,
  exportConversations,
  type PullSummary,
  pull,
} from "./app/library/runs.ts";
export type { RunCounts } from "./core/counts.ts";
export type { Level, Log } from "./core/ports.ts";
export type { DataFile, DatasetFacts } from "./reports/facts.ts";
export type { FileFacts } from "./sinks/atomic-file.ts";

// An archive, open for reading.

export { type CallFilter, type OpenArchive, openArchive, type StoredCall } from "./app/library/archive.ts";
export type { RunRecord, Summary } from "./core/archive.ts";
export type { State } from "./core/state.ts";

// Errors that end a run. A call that cannot be had is no such error: it is counted, and the archive says why.

export { ArchiveBusy } from "./app/errors.ts";
export { ArchiveDamaged } from "./core/archive.ts";
export {
  ArchiveError,
  BadCredentials,
  ClockSkewed,
  Denied,
  type ErrorFacts,
  GivenUp,
  InvalidDocument,
  type Next,
  NoArchive,
  Throttled,
  Unavailable,
  UsageError,
} from "./core/errors.ts";
export { LockLost } from "./core/lock.ts";

// A call log as a conversation, and a conversation without personal data.

export type { Document } from "./core/records.ts";
export type {
  Json,
  JsonObject,
  MediaFile,
  Participants,
  Provenance,
  ProvenanceRecord,
  ToolCall,
  Transcript,
  Turn,
} from "./core/transcript.ts";
export { type CallRecord, callTranscript } from "./parse/call-log.ts";
export {
  createRedactor,
  parsePattern,
  REDACT_CATEGORIES,
  type RedactCategory,
  type Redaction,
  type RedactOptions,
  type Redactor,
  type RedactPattern,
} from "./transforms/redact/index.ts";

// A conversation as text, as samples, and a sample as a trainer's row.

export type { ItemPut, LongText, Note, Put, PutOptions, Writer } from "./core/ports.ts";
export type { DroppedSample, Language, Message, Sample, SampleResult } from "./core/sample.ts";
export { type Preset, type PresetName, type PresetOptions, presets } from "./presets/index.ts";
export { type CurateResult, curate, type Policy } from "./transforms/curate/curate.ts";
export { type VoicePolicy, voiceSample } from "./transforms/curate/voice.ts";
export { type WriterName, type WriterOptions, type WriterShape, writers } from "./writers/index.ts";

// The cloud, played on this machine.

export { type Emulator, type EmulatorOptions, type Faults, parseFaults, startEmulator } from "./emulator/index.ts";
