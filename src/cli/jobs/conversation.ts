import type { Transcript } from "../../core/transcript.ts";

/** A terminal obeys control characters; a conversation may hold any. Line breaks become spaces. */
const tame = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "");

const clock = (seconds: number | undefined): string => {
  if (seconds === undefined) return "  --:--";
  const whole = Math.floor(seconds);
  return `${String(Math.floor(whole / 60)).padStart(4)}:${String(whole % 60).padStart(2, "0")}`;
};

/** A transcript to read on a terminal. */
export const conversation = (call: Transcript): string => {
  const facts = [
    call.startedAt,
    call.durationSeconds === undefined ? undefined : `${Math.round(call.durationSeconds)} s`,
    call.agentId && `agent ${call.agentId}`,
    call.language,
  ].filter((fact) => fact !== undefined && fact !== "");
  const lines = call.turns.map(
    ({ begin, role, text, kind }) =>
      `${clock(begin)}  ${tame(role).padEnd(5)}  ${tame(text)}${kind === "normal" ? "" : `  (${tame(kind)})`}`,
  );
  return `${[tame(call.id), facts.map((fact) => tame(String(fact))).join(", "), "", ...lines].join("\n")}\n`;
};
