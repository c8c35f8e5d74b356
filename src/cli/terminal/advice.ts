import { BadCredentials, messageOf } from "../../core/errors.ts";

/** An error's message, with the command that finds out more; `doctor` itself needs no such advice. */
export const advised = (error: unknown, command: string): string => {
  const message = messageOf(error);
  const hasKey = error instanceof BadCredentials && error.facts.code !== "NoCredentials";
  return hasKey && command !== "doctor" ? `${message} "callarchive doctor" says which key is in use.` : message;
};
