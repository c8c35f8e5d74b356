import type { PresetName } from "../../src/presets/index.ts";

// FORMATS.md, read by someone who never saw our code: what each reader does with a row, in the reader's own words.

type Message = Record<string, unknown>;
type Row = Record<string, unknown>;
type Reader = (row: Row, loss: boolean) => string[];

const keysOf = (row: Row): string => Object.keys(row).join();
const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== "";
const rolesOf = (messages: Message[]): string => messages.map(({ role }) => String(role)[0]).join("");

/** An optional system turn, then user and assistant in strict turns, and nothing else. */
const plain = (messages: Message[], keys: string): string[] => {
  const problems = [];
  if (!/^s?(ua)+$/.test(rolesOf(messages))) problems.push(`roles ${rolesOf(messages)}`);
  for (const message of messages) {
    if (keysOf(message) !== keys) problems.push(`keys ${keysOf(message)}`);
    if (!isText(message.content)) problems.push("content");
  }
  return problems;
};
const only = (row: Row, ...keys: string[]): string[] => (keysOf(row) === keys.join() ? [] : [`columns ${keysOf(row)}`]);
const list = (value: unknown): Message[] => value as Message[];

/** Tools: a call, then its results by id, then whoever. */
const unpaired = (messages: Message[]): string[] => {
  const problems = [];
  let open: unknown[] = [];
  for (const { role, tool_calls: calls, tool_call_id: id } of messages) {
    if (role === "tool") {
      if (!open.includes(id)) problems.push("result without call");
      open = open.filter((other) => other !== id);
    } else if (open.length > 0) problems.push("call without result");
    if (role !== "tool") open = list(calls ?? []).map((one) => one.id);
  }
  return problems;
};

/** Every assistant of the row has the key when it should, and nobody else; or every turn. */
const lossProblems = (messages: Message[], key: string, values: unknown[], loss: boolean, every: boolean): string[] =>
  messages.flatMap((message) => {
    const expected = loss && (every || ["assistant", "tool_call"].includes(String(message.role)));
    if (key in message !== expected) return [`${key} on ${message.role}`];
    return expected && !values.includes(message[key]) ? [`${key} is ${message[key]}`] : [];
  });

const TAGS = ["human", "observation", "gpt", "function_call"];

export const readers: Record<PresetName, Reader> = {
  messages: (row) => [...only(row, "messages"), ...plain(list(row.messages), "role,content")],
  bailian: (row) => [
    ...only(row, "messages"),
    ...plain(
      list(row.messages).map(({ content, ...rest }) => ({
        ...rest,
        content: Array.isArray(content) ? (content as Row[]).map(({ text }) => text).join("") : content,
      })),
      "role,content",
    ),
  ],
  // SharegptDatasetConverter: odd_tags and even_tags by place, and an even count.
  "llama-factory": (row) => {
    const problems = only(row, "conversations", "system");
    const turns = list(row.conversations);
    turns.forEach(({ from, value }, index) => {
      const accepted = index % 2 === 0 ? TAGS.slice(0, 2) : TAGS.slice(2);
      if (!accepted.includes(String(from))) problems.push(`Invalid role tag ${from} at ${index}`);
      if (typeof value !== "string") problems.push("value");
      if (from === "function_call" && !/^[[{]/.test(String(value))) problems.push("function_call");
    });
    if (turns.length % 2 !== 0 || turns.length === 0) problems.push("Invalid message count");
    if (typeof row.system !== "string") problems.push("system");
    return problems;
  },
  "ms-swift": (row, loss) => {
    const messages = list(row.messages);
    const problems = [...only(row, "messages"), ...lossProblems(messages, "loss", [true, false], loss, false)];
    if (!/^s?(a|u|t)*[at]$/.test(rolesOf(messages)) || /uu|aa/.test(rolesOf(messages)))
      problems.push(rolesOf(messages));
    if (messages.some(({ content }) => typeof content !== "string")) problems.push("null content");
    if (messages.at(-1)?.role === "tool_response") problems.push("ends with a result");
    return problems;
  },
  axolotl: (row, loss) => {
    const messages = list(row.messages);
    const problems = [...only(row, "messages"), ...lossProblems(messages, "train", [true, false], loss, true)];
    const user = messages.findIndex(({ role }) => role === "user");
    if (messages.slice(0, user).some(({ role, train }) => role === "assistant" && train !== false))
      problems.push("No user query found: greeting is learned");
    if (messages.some(({ role, train }) => role !== "assistant" && train === true)) problems.push("learns the caller");
    if (!/^s?t?(?:a|u|t)*a$/.test(rolesOf(messages))) problems.push(rolesOf(messages));
    return [...problems, ...unpaired(messages)];
  },
  trl: (row) => {
    const [prompt, completion] = [list(row.prompt), list(row.completion)];
    const problems = only(row, "prompt", "completion");
    if (prompt.length === 0) problems.push("no prompt");
    if (completion.length !== 1 || completion[0]?.role !== "assistant") problems.push("completion");
    if (!["user", "tool"].includes(String(prompt.at(-1)?.role)))
      problems.push(`prompt ends with ${prompt.at(-1)?.role}`);
    for (const { role, content, tool_calls: calls } of [...prompt, ...completion])
      if (typeof content !== "string" || (role === "assistant" && !isText(content) && !calls)) problems.push("content");
    return [...problems, ...unpaired([...prompt, ...completion])];
  },
  openai: (row, loss) => {
    const messages = list(row.messages);
    const problems = [...only(row, "messages"), ...lossProblems(messages, "weight", [0, 1], loss, false)];
    const keys = ["role", "content", "name", "function_call", "weight", "tool_calls", "tool_call_id"];
    for (const message of messages) {
      if (Object.keys(message).some((key) => !keys.includes(key))) problems.push(`keys ${keysOf(message)}`);
      const { role, content, tool_calls: calls } = message;
      if (role !== "tool" && !isText(content) && !(calls && role === "assistant")) problems.push("content");
      for (const { type, function: called } of list(calls ?? []))
        if (type !== "function" || typeof (called as Row).arguments !== "string") problems.push("call");
    }
    if (!messages.some(({ role }) => role === "assistant")) problems.push("at least one assistant");
    return [...problems, ...unpaired(messages)];
  },
  // together-python, validate_messages.
  together: (row, loss) => {
    const messages = list(row.messages);
    const problems = [...only(row, "messages"), ...lossProblems(messages, "weight", [0, 1], loss, false)];
    if (messages.length === 0) problems.push("Expected a non-empty list of messages");
    messages.forEach(({ role, content, weight }, index) => {
      if (typeof role !== "string" || typeof content !== "string") problems.push("Expected string");
      if (weight !== undefined && !Number.isInteger(weight)) problems.push("Weight must be an integer");
      if (!["system", "user", "assistant"].includes(String(role))) problems.push(`Found invalid role ${role}`);
      if (role === messages[index - 1]?.role) problems.push("roles must alternate");
    });
    return problems;
  },
  sharegpt: (row) => {
    const turns = list(row.conversations).map(({ from, value }) => ({
      role: { system: "system", human: "user", gpt: "assistant" }[String(from)],
      content: value,
    }));
    return [...only(row, "conversations"), ...plain(turns, "role,content")];
  },
  alpaca: (row) => {
    const problems = only(row, "instruction", "input", "output", "history", "system");
    if (!isText(row.instruction) || !isText(row.output) || row.input !== "" || typeof row.system !== "string")
      problems.push("columns");
    for (const pair of row.history as unknown[][])
      if (pair.length !== 2 || !pair.every(isText)) problems.push("history is no list of pairs");
    return problems;
  },
};
