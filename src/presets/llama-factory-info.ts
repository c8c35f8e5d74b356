import { isObject, type JsonObject } from "../core/transcript.ts";
import type { SplitFile } from "./shape.ts";

/** All tags are written, because LLaMA-Factory's defaults are different. */
export const TAGS = {
  role_tag: "from",
  content_tag: "value",
  user_tag: "human",
  assistant_tag: "gpt",
  observation_tag: "observation",
  function_tag: "function_call",
  system_tag: "system",
} as const;

/** `dataset_info.json`: one data set per file, `callarchive_train`, `callarchive_validation`, … */
export const infoFile = (files: readonly SplitFile[]): string => {
  const count = new Map<string, number>();
  for (const { split } of files) count.set(split, (count.get(split) ?? 0) + 1);
  const entries = files.map(({ split, name }) => {
    const shard = (count.get(split) ?? 0) > 1 ? `_${/(\d{5})-of-\d{5}/.exec(name)?.[1] ?? name}` : "";
    return [`callarchive_${split}${shard}`, entryOf(name)];
  });
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
};

const entryOf = (name: string): JsonObject => ({
  file_name: name,
  formatting: "sharegpt",
  columns: { messages: "conversations", system: "system" },
  tags: { ...TAGS },
});

/** What is wrong with somebody's `dataset_info.json`; `names` are the files beside it. */
export const infoTrouble = (text: string, names: readonly string[]): string[] => {
  let info: unknown;
  try {
    info = JSON.parse(text);
  } catch {
    return ["is not JSON"];
  }
  if (!isObject(info)) return ["is not an object"];
  return Object.entries(info).flatMap(([dataset, entry]) => {
    const about = (words: string): string => `${JSON.stringify(dataset.slice(0, 60))} ${words}`;
    if (!isObject(entry)) return [about("is not an object")];
    const { file_name: file, formatting, columns, tags } = entry;
    const found: string[] = [];
    if (typeof file === "string" && !names.includes(file))
      found.push(about(`names ${JSON.stringify(file)}, which is not in the folder`));
    if (formatting === "openai")
      found.push(about('has "formatting": "openai", which appends text to the system prompt'));
    else if (formatting !== "sharegpt") found.push(about('lacks "formatting": "sharegpt"'));
    if (!isObject(columns) || typeof columns.messages !== "string") found.push(about('lacks "columns": {"messages"}'));
    const needed = ["role_tag", "content_tag", "user_tag", "assistant_tag", "system_tag"];
    const missing = needed.filter((tag) => !isObject(tags) || typeof tags[tag] !== "string");
    if (missing.length > 0) found.push(about(`lacks the tags ${missing.join(", ")}`));
    return found;
  });
};
