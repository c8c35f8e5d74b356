// The library surface: what programs may import. Everything else may change without notice.

export type { StoredRecord } from "./core/archive.ts";
export { ArchiveError, type ErrorFacts, InvalidDocument, type Next } from "./core/errors.ts";
export type { Document, Note, Put, PutOptions, Writer } from "./core/ports.ts";
export type { Message, Sampled } from "./core/sample.ts";
export type {
  Json,
  JsonObject,
  Participants,
  Provenance,
  ToolCall,
  Transcript,
  Turn,
} from "./core/transcript.ts";
export { type Emulator, type EmulatorOptions, type Faults, parseFaults, startEmulator } from "./emulator/index.ts";
export { type CallRecord, callTranscript } from "./parse/call-log.ts";
export { type VoicePolicy, voiceSample } from "./transforms/curate/voice.ts";
export { type WriterName, type WriterOptions, writers } from "./writers/index.ts";
