// For whoever prints: the same stream that an output named `-` goes to.
export { streamOutput } from "../sinks/stream.ts";
