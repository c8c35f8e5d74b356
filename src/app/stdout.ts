// For commands that print: the stream of the output `-`.
export { streamOutput } from "../sinks/stream.ts";
