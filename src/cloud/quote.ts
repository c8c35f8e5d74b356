import { oneLine } from "../core/printable.ts";

const HIDDEN = "[hidden]";

/** Longer messages are cut before they are searched, in characters. */
const MAX_INPUT = 4096;

/** In a signature error, the request as the service received it follows this, with keys and tokens. */
const STRING_TO_SIGN = /\(?(?:server )?(?:string ?to ?sign|canonical ?request)\b/i;

const SECRETS: readonly RegExp[] = [
  /\b(LTAI|STS\.|TMP\.)[\w.-]{8,}/g,
  // Signatures: HMAC-SHA256 in hex (ids of the platform are 32 characters), HMAC-SHA1 and longer in base64.
  /\b[0-9a-f]{40,}\b/gi,
  /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{26,}={1,2}/g,
  /\b(signature|access_?key_?(id|secret)?|security_?token|auth_?token|credential)\s*[=:]\s*[^\s,;&]+/gi,
];

/**
A message of the service, safe to show: one line of at most 300 characters, without keys, signatures, tokens and
queries of addresses.
*/
export const quotable = (text: string, secrets: readonly (string | undefined)[] = []): string => {
  let quoted = firstLine(text);
  const request = quoted.search(STRING_TO_SIGN);
  if (request >= 0) quoted = quoted.slice(0, request);
  for (const secret of secrets) if (secret) quoted = quoted.replaceAll(secret, HIDDEN);
  for (const pattern of SECRETS) quoted = quoted.replace(pattern, HIDDEN);
  quoted = quoted.replace(/(https?:\/\/[^\s?"'<>]*)\?[^\s"'<>]*/gi, "$1").trim();
  return quoted.length > 300 ? `${quoted.slice(0, 299).toWellFormed()}…` : quoted;
};

/** The first kilobytes as one line. It is cut after a complete word, because half a secret would not be recognised. */
const firstLine = (text: string): string => {
  const line = oneLine(text.slice(0, MAX_INPUT)).replace(/\s+/g, " ");
  return text.length > MAX_INPUT ? line.slice(0, line.lastIndexOf(" ") + 1) : line;
};
