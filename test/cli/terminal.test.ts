import { mkdirSync, writeFileSync } from "node:fs";
import Database from "libsql";
import { expect, test } from "vitest";
import { parseLines, type Ran, workplace } from "../helpers/workplace.ts";

/** Clears the screen, sets its title, turns text around, hides text, and begins a line of its own. */
const HOSTILE = "\u001b[2J\u001b]0;title\u0007\u009b31m\u202eabc\u200bdef\u2028\rnext\u007f";
const UNSAFE = /[\p{Cc}\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Each line by itself: the breaks between them are the program's own. */
const unsafe = ({ stdout, stderr }: Ran): string[] =>
  `${stdout}\n${stderr}`.split("\n").filter((line) => UNSAFE.test(line.replaceAll("\t", " ")));

test("nothing from outside reaches a terminal with control characters, whichever command shows it", async () => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 2 });
  const turn = { id: 1, begin: 1, role: `user${HOSTILE}`, type: HOSTILE, text: `hello ${HOSTILE}` };
  const hostile = cloud.add({ id: "hostile", body: JSON.stringify({ language: HOSTILE, dialog: [turn] }) });
  await place.run(["export", ...cloud.ids(), hostile, "-o", "out/"]);
  const db = new Database(place.path("callarchive.db"));
  db.prepare("update items set state = 'failed', error_code = ?, error_message = ? where key <> 'hostile'").run([
    HOSTILE,
    `failed ${HOSTILE}`,
  ]);
  db.prepare("insert into agents (agent_id) values (?)").run([`agent ${HOSTILE}`]);
  db.exec("update items set agent = (select max(agent) from agents)");
  db.close();
  const sample = { messages: [{ role: `user${HOSTILE}`, content: HOSTILE }], [HOSTILE]: 1 };
  writeFileSync(place.path("train.jsonl"), `${JSON.stringify(sample)}\n`);
  mkdirSync(place.path("made"));
  const file = { name: `gone${HOSTILE}`, rows: 1, bytes: 1, sha256: "0".repeat(64) };
  writeFileSync(place.path("made/manifest.json"), JSON.stringify({ files: [file, { [HOSTILE]: 1 }] }));
  writeFileSync(place.path("ids.txt"), `${hostile}\nan id ${HOSTILE}\n`);
  const other = cloud.add({ id: "other", body: "<html>" });
  cloud.faults = { down: 1 };

  const ran = {
    show: await place.run(["show", hostile]),
    list: await place.run(["list"]),
    status: await place.run(["status"]),
    check: await place.run(["check", "train.jsonl", "--preset", "openai"]),
    verify: await place.run(["verify", "made"]),
    dataset: await place.run(["dataset", "-o", "set"]),
    pull: await place.run(["pull", "-v", "-i", "ids.txt", other, "--retries", "0", "--refresh"]),
    offline: await place.run(["export", "--offline", "-i", "ids.txt", "-o", "x.ndjson"]),
    absent: await place.run(["show", `nobody${HOSTILE}`]),
    option: await place.run(["list", `--${HOSTILE}`]),
  };
  expect(ran.show.stdout).toContain("hello");
  expect(ran.list.stdout).toContain("failed  [2J ]0;title 31mabcdef next");
  expect(ran.status.stdout).toContain("agent  [2J");
  expect(ran.check.stdout).toContain("[2J");
  expect(ran.verify.stdout).toContain("gone [2J");
  expect(ran.offline.stderr).toContain("not an instance id");
  for (const [name, each] of Object.entries(ran)) expect([name, unsafe(each)]).toEqual([name, []]);
});

test("JSON logs escape control characters that JSON allows", async () => {
  const place = workplace();
  await place.cloud({ calls: 1 });
  const text = "a\u009b31m\u202e\u2028";
  const ran = await place.run(["export", "--agent", "A", "--since", text, "--log-format", "json"]);
  expect(unsafe(ran)).toEqual([]);
  expect(ran.stderr).toContain("\\u009b31m\\u202e\\u2028");
  expect(parseLines(ran.stderr).at(-1)?.message).toContain(text);
});
