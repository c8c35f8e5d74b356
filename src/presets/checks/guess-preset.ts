import { isObject, type JsonObject } from "../../core/transcript.ts";
import { isPreset, type PresetName, presets } from "../index.ts";

/** What is known of a file besides its rows. */
export interface FileLocation {
  /** The name of its folder. */
  folder: string;
  hasDatasetInfo: boolean;
}

/** The preset that a row looks like. If the folder has the name of a preset with the same shape, that one is chosen. */
export const guessPreset = (row: JsonObject, { folder, hasDatasetInfo }: FileLocation): PresetName | undefined => {
  const found = presetByShape(row, hasDatasetInfo);
  return isPreset(folder) && found !== undefined && presets[folder].rows === presets[found].rows ? folder : found;
};

const presetByShape = (row: JsonObject, hasDatasetInfo: boolean): PresetName | undefined => {
  if ("messages" in row) {
    const items = (Array.isArray(row.messages) ? row.messages : []).filter(isObject);
    const has = (key: string): boolean => items.some((item) => key in item);
    if (has("train")) return "axolotl";
    if (has("loss") || items.some(({ role }) => role === "tool_call")) return "ms-swift";
    if (has("weight") || has("tool_calls")) return "openai";
    return items.some(({ content }) => Array.isArray(content)) ? "bailian" : "messages";
  }
  if ("conversations" in row) return hasDatasetInfo || "system" in row ? "llama-factory" : "sharegpt";
  if ("prompt" in row && "completion" in row) return "trl";
  return "instruction" in row ? "alpaca" : undefined;
};
