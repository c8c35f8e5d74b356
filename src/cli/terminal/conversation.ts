import { oneLine } from "../../core/printable.ts";
import type { Transcript } from "../../core/transcript.ts";

const clock = (seconds: number | undefined): string => {
  if (seconds === undefined) return "  --:--";
  const whole = Math.floor(seconds);
  return `${String(Math.floor(whole / 60)).padStart(4)}:${String(whole % 60).padStart(2, "0")}`;
};

/** A transcript as text for a terminal. */
export const conversation = (call: Transcript): string => {
  const facts = [
    call.startedAt,
    call.durationSeconds === undefined ? undefined : `${Math.round(call.durationSeconds)} s`,
    call.agentId && `agent ${call.agentId}`,
    call.language,
  ].filter((fact) => fact !== undefined && fact !== "");
  const lines = call.turns.map(({ begin, role, text, kind, toolCalls = [] }) => {
    const calls = toolCalls.map(({ name, arguments: values }) => `[${name} ${values}]`);
    const words = [text, ...calls].filter((part) => part !== "").join(" ");
    return `${clock(begin)}  ${oneLine(role).padEnd(5)}  ${oneLine(words)}${kind === "normal" ? "" : `  (${oneLine(kind)})`}`;
  });
  return `${[oneLine(call.id), facts.map((fact) => oneLine(String(fact))).join(", "), "", ...lines].join("\n")}\n`;
};
