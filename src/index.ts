// The library surface: what programs may import. Everything else may change without notice.

export { ArchiveError, type ErrorFacts, InvalidDocument, type Next } from "./core/errors.ts";
export type { Note, Put, PutOptions, Writer } from "./core/ports.ts";
export type { Document, StoredRecord } from "./core/records.ts";
export type { Message, SampleResult as Sampled } from "./core/sample.ts";
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
