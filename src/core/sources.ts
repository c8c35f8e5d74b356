import type { SourceName } from "./transcript.ts";

/**
The sources whose conversations this version can read, for help and checks of flags.

The registry of parsers has the same names, and a test compares them: help would start more slowly if it loaded the parsers.
*/
export const SOURCES = ["calls", "chats", "queries", "dialogues"] as const satisfies readonly SourceName[];
