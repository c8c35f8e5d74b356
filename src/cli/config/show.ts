import type { Command } from "commander";
import { isSecret, redactSecrets } from "../../core/secrets.ts";
import type { Json, JsonObject } from "../../core/transcript.ts";
import type { Io } from "../io.ts";
import { table } from "../terminal/format.ts";
import { type Config, type Setting, type Source, settingsOf } from "./config.ts";

/** A flag's value, and the commands that have this value. */
export interface SettingRow {
  key: string;
  /** Without secrets. */
  value: Json;
  text: string;
  source: Source;
  commands: string[];
}

/** The value of each flag; commands with the same value share a row. @throws UsageError for wrong values */
export const effective = (commands: readonly Command[], config: Config | undefined, io: Io): SettingRow[] => {
  const rows = new Map<string, SettingRow>();
  for (const command of commands)
    for (const setting of settingsOf(command, config, io)) {
      const { flag, value, source } = setting;
      const text = textOf(setting);
      const same = JSON.stringify([flag.key, text, source]);
      const row = rows.get(same);
      if (row) row.commands.push(command.name());
      else {
        const safe = isSecret(flag.key) && value !== undefined ? "***" : clean(value);
        rows.set(same, { key: flag.key, value: safe, text, source, commands: [command.name()] });
      }
    }
  return [...rows.values()].sort((a, b) => (a.key === b.key ? 0 : a.key < b.key ? -1 : 1));
};

/** A table for people. @param all number of commands; a row that applies to all of them says "all" */
export const showTable = (rows: readonly SettingRow[], all: number): string =>
  table(
    [
      ["FLAG", "VALUE", "FROM", "COMMANDS"],
      ...rows.map(({ key, text, source, commands }) => [
        key,
        text,
        place(source),
        commands.length === all ? "all" : commands.join(" "),
      ]),
    ].map((row) => (all === 1 ? row.slice(0, 3) : row)),
  );

export const showJson = (path: string | undefined, rows: readonly SettingRow[]): JsonObject => ({
  file: path ?? null,
  settings: rows.map(({ key, value, source, commands }) => ({ key, value, ...source, commands })),
});

const place = (source: Source): string =>
  source.from === "env" ? source.variable : source.from === "file" ? `${source.file}:${source.line}` : source.from;

const textOf = ({ flag, value, source, text: written }: Setting): string => {
  if (value === undefined) return "(unset)";
  if (isSecret(flag.key)) return "***";
  if (source.from === "default" && flag.on?.defaultValueDescription) return flag.on.defaultValueDescription;
  // The text has the unit of a number (90s), the value has not.
  const cleaned = clean(typeof value === "number" ? (written ?? value) : value);
  const text = Array.isArray(cleaned)
    ? cleaned.join(",")
    : isShard(cleaned)
      ? `${cleaned.index}/${cleaned.count}`
      : cleaned;
  const plain = typeof text === "object" ? JSON.stringify(text) : String(text);
  // Escapes line breaks and control characters.
  return /^[^\p{C}]+$/u.test(plain) ? plain : JSON.stringify(plain);
};

const isShard = (value: Json): value is { index: number; count: number } =>
  typeof value === "object" && value !== null && "index" in value && "count" in value;

const clean = (value: unknown): Json => {
  if (typeof value === "string") return redactSecrets(value);
  // All other values of flags are JSON; undefined becomes null.
  return Array.isArray(value) ? value.map(clean) : ((value ?? null) as Json);
};
