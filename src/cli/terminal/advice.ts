import { BadCredentials, messageOf } from "../../core/errors.ts";

/** An error's message; for wrong credentials, it also names `doctor`, unless `doctor` itself failed. */
export const advised = (error: unknown, command: string): string => {
  const message = messageOf(error);
  const hasKey = error instanceof BadCredentials && error.facts.code !== "NoCredentials";
  return hasKey && command !== "doctor" ? `${message} Run "callarchive doctor" to see which key is in use.` : message;
};
