import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { ChatEventOptions } from "../src/emulator/chats.ts";
import type { DialogueOptions } from "../src/emulator/dialogues.ts";
import type { QueryOptions } from "../src/emulator/queries.ts";
import { workplace } from "./helpers/workplace.ts";

const exec = promisify(execFile);
const ROOT = new URL("..", import.meta.url).pathname;
const BIN = join(ROOT, "bin/callarchive.js");
const docs = readdirSync(join(ROOT, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);
const pages = ["README.md", "CONTRIBUTING.md", ...docs, "src/README.md", "examples/README.md"];

interface Block {
  language: string;
  text: string;
  /** It shows what the shell block before it prints. */
  printed: boolean;
}

const blocksOf = (page: string): Block[] =>
  [...readFileSync(join(ROOT, page), "utf8").matchAll(/(<!-- prints -->\n)?```(\w+)\n([\s\S]*?)```/g)].map(
    ([, printed, language = "", text = ""]) => ({ language, text, printed: printed !== undefined }),
  );

/** The chat log of the pages: an exchange with a command to the device. */
const ALARM: ChatEventOptions = {
  id: "8f1d2c7ab03e4f5d9c6e1a2b3c4d5e6f",
  sessionId: "3b7e5c10-4a6f-4f0e-9d54-2f0c8a1b7e93",
  received: new Date("2025-07-18T06:30:00Z"),
  fields: {
    data: {
      code: "",
      message: "",
      requestId: "8f1d2c7ab03e4f5d9c6e1a2b3c4d5e6f",
      sessionId: "3b7e5c10-4a6f-4f0e-9d54-2f0c8a1b7e93",
      input: JSON.stringify({
        prompt: "Wake me at seven.",
        biz_params: { chat_history: [], user: { user_id: "user_42" }, user_defined_tokens: { clock: "a secret" } },
      }),
      output: JSON.stringify({
        output: {
          text: "The alarm is set for seven.",
          commands: [{ name: "set_alarm", params: [{ name: "time", value: "seven", norm_value: "07:00" }] }],
        },
        biz_info: { intent_infos: [{ domain: "alarm", intent: "set", slots: [] }] },
      }),
    },
  },
};

/** The query of the pages. */
const ORDERS: QueryOptions = {
  messageId: "msg_orders",
  conversationId: "conv_orders",
  agentName: "shop-analyst",
  question: "Which city had the most orders?",
  createdAt: new Date("2025-07-18T09:00:00Z"),
  fields: {
    DurationMs: 3200,
    Content: {
      TextAttachments: ["Shanghai, with 120 orders."],
      QueryAttachments: [
        {
          Query: "SELECT city, COUNT(*) AS n FROM orders GROUP BY city ORDER BY n DESC LIMIT 2",
          Result: {
            Schema: [
              { Name: "city", Type: "VARCHAR" },
              { Name: "n", Type: "BIGINT" },
            ],
            Rows: '[["Shanghai",120],["Beijing",98]]',
            RowCount: 2,
            TotalRows: 2,
            IsTruncated: false,
          },
        },
      ],
    },
  },
};

/** The session of the pages: a typed question and its answer. */
const SESSION = "9c41f0be7d2a4c55b1e0a7730d6f2e18";
const TYPED: Omit<DialogueOptions, "sessionId">[] = [
  { dialogueId: "dlg_1", roundId: "round_1", producer: "user", text: "Where is my order?" },
  {
    dialogueId: "dlg_2",
    roundId: "round_1",
    producer: "agent",
    text: "It left the warehouse today.",
    reasoning: "The user asks for the delivery. The order has the status shipped.",
  },
];

/** A place as the documentation supposes it: `callarchive` on the path, a cloud with calls, chats and queries. */
const prepared = async () => {
  const place = workplace();
  const data = join(ROOT, "test/fixtures/readme");
  const recorded = { recordings: 3, taskDays: 100_000 };
  const cloud = await place.cloud({ calls: 12, agents: 1, data, chats: 6, queries: 20, ...recorded });
  const EVENT = cloud.addChatEvent(ALARM);
  cloud.addQuery(ORDERS);
  for (const [at, dialogue] of TYPED.entries())
    cloud.addDialogue({ ...dialogue, sessionId: SESSION, time: new Date(Date.UTC(2025, 6, 18, 10, 0, 4 * at)) });
  const TASK = [...cloud.recordingTasks()].find(({ vodIds }) => vodIds.length === 0)?.taskId ?? "";
  const ids = [...cloud.ids()];
  const ID = ids.at(-1) ?? "";
  mkdirSync(place.path("bin"));
  writeFileSync(place.path("bin/callarchive"), `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
  chmodSync(place.path("bin/callarchive"), 0o755);
  writeFileSync(place.path("ids.txt"), ids.slice(0, 5).join("\n"));
  const events = [...cloud.chatEvents()].map((event) => `${JSON.stringify(event)}\n`);
  writeFileSync(place.path("events.ndjson"), events.join(""));
  const env: Record<string, string> = {
    ...place.environment(),
    AGENT: cloud.agents[0] ?? "",
    ID,
    EVENT,
    SESSION,
    TASK,
    CALLARCHIVE_QUIET: "1",
  };
  return { place, cloud, env: { ...env, PATH: `${place.path("bin")}:${env.PATH}` }, ID };
};

describe.each(pages)("%s", (page) => {
  test("its examples run, and print what it says they print", async () => {
    const { place, cloud, env, ID } = await prepared();
    // The pages speak of one short call that is in the archive.
    expect((await place.runHere(["pull", ID])).code).toBe(0);
    let printed = "";
    for (const { language, text, printed: shown } of blocksOf(page)) {
      if (language === "sh") {
        printed = await shell(text, place.folder, env);
        continue;
      }
      if (language === "js") {
        const module = text.replace('"callarchive"', JSON.stringify(join(ROOT, "dist/index.js")));
        printed = (await exec(process.execPath, ["--input-type=module", "-e", module], { env })).stdout;
        expect(printed).not.toBe("");
      }
      if (shown) expect(printed.replaceAll(cloud.url, "https://logs.oss-cn-shanghai.aliyuncs.com")).toBe(text);
      if (language === "json") for (const line of jsons(text)) JSON.parse(line);
    }
  });

  test("its links lead somewhere", () => {
    const text = readFileSync(join(ROOT, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)/g))
      if (target !== "") readFileSync(join(ROOT, dirname(page), target));
  });
});

const jsons = (text: string): string[] => (text.startsWith("{\n") ? [text] : text.trimEnd().split("\n"));

/** Asynchronously: the emulator lives in this process. */
const shell = async (script: string, cwd: string, env: Record<string, string>): Promise<string> => {
  const { stdout } = await exec("sh", ["-ec", script], { cwd, env });
  return stdout;
};

test("the help of export and the README name the same exit codes", () => {
  const help = execFileSync(process.execPath, [BIN, "--help"]).toString();
  for (const code of ["0 complete", "2 usage", "3 partial", "5 temporary"]) expect(help).toContain(code);
});
