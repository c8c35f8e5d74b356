import { InvalidDocument } from "../core/errors.ts";
import type { StoredConversation } from "../core/records.ts";
import type { SourceName, Transcript } from "../core/transcript.ts";
import { callTranscript } from "./call-log.ts";
import { chatTranscript } from "./chat-log.ts";
import { dialoguesTranscript } from "./dialogues.ts";
import { withMedia } from "./media.ts";
import { queryTranscript } from "./query-log.ts";
import { recordedCallTranscript } from "./recorded-call.ts";

/** Makes the transcript of a conversation: a pure function of its records in their own order. @throws InvalidDocument */
export type Parser = (conversation: StoredConversation) => Transcript;

/** How the conversations of each source become transcripts: a file and a line for each source. */
export const parsers: { readonly [Name in SourceName]?: Parser } = {
  chats: chatTranscript,
  queries: queryTranscript,
  dialogues: dialoguesTranscript,
  calls: (conversation) => {
    const { document } = conversation;
    if (!document) throw new InvalidDocument("there is no document", "NoDocument");
    return conversation.further === undefined
      ? callTranscript({ ...conversation, document })
      : recordedCallTranscript({ ...conversation, document });
  },
};

/** The transcript of a conversation of any source. @throws InvalidDocument */
export const transcriptOf = (conversation: StoredConversation): Transcript => {
  const parse = parsers[conversation.source];
  if (!parse) throw new InvalidDocument(`this version cannot read the source ${conversation.source}`, "UnknownSource");
  const transcript = parse(conversation);
  const { media = [] } = conversation;
  return media.length === 0 ? transcript : withMedia(transcript, media);
};
