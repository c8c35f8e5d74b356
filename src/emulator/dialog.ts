import type { Random } from "./random.ts";
import type { Scene } from "./scene.ts";

interface Turn {
  id: number;
  /** Seconds from the start of the session. */
  begin: number;
  role: "agent" | "user";
  type: "greeting" | "normal";
  text: string;
}

export interface Dialog {
  turns: Turn[];
  /** The length of the call. */
  seconds: number;
}

const INTERRUPTED = "<ims_agent_interrupted>";
const MOST_TURNS = 80;
const TURN_OVERHEAD = 62;

const fillers = {
  zh: ["嗯,", "那个,", "呃,", "就是,那个,", "啊,"],
  en: ["Um, ", "Uh, ", "Well, um, ", "So, uh, "],
};
const mumbles = {
  zh: ["我……嗯……", "嗯嗯。", "喂?", "好的。", "稍等一下啊。"],
  en: ["I... um...", "Uh-huh.", "Hello?", "Okay.", "Hang on a second."],
};
const nudges = {
  zh: ["请问您还在听吗?", "您可以慢慢说,我在听。", "请问还有什么可以帮您?"],
  en: ["Are you still there?", "Take your time, I'm listening.", "Is there anything else I can do for you?"],
};
const stops = { zh: ["等一下,", "打断一下,", "不是,"], en: ["Wait, ", "Sorry, hold on, ", "No no, "] };
const secondsPerCharacter = { zh: 0.21, en: 0.064 };

const turnCount = (random: Random): number => {
  const luck = random.next();
  if (luck < 0.04) return 1;
  if (luck < 0.08) return random.int(2, 3);
  if (luck < 0.95) return random.int(4, 20);
  return random.int(21, MOST_TURNS);
};

const interrupt = (random: Random, text: string): string => {
  const characters = [...text];
  const at = random.int(Math.floor(characters.length * 0.3), Math.floor(characters.length * 0.9));
  return characters.slice(0, at).join("") + INTERRUPTED + characters.slice(at).join("");
};

/** Writes the dialog of a scene; with `bytes`, one for a document of about this size. */
export const createDialog = (scene: Scene, random: Random, bytes?: number): Dialog => {
  const { language, scenario } = scene;
  const target = bytes === undefined ? turnCount(random) : Number.POSITIVE_INFINITY;
  const endsOnUser = random.chance(0.15);
  const chatty = random.chance(0.3);
  const turns: Turn[] = [];
  let clock = 0;
  let size = 0;
  let interrupted = false;

  const say = (role: Turn["role"], text: string, type: Turn["type"] = "normal"): void => {
    clock += random.next() * 1.6 + (interrupted ? 0.2 : 0.7) + text.length * secondsPerCharacter[language];
    turns.push({ id: turns.length + 1, begin: Math.round(clock * 1000) / 1000, role, type, text });
    if (bytes !== undefined) size += TURN_OVERHEAD + Buffer.byteLength(text);
  };
  const user = (template: string): void => {
    const luck = random.next();
    const prefix = interrupted ? random.pick(stops[language]) : luck < 0.18 ? random.pick(fillers[language]) : "";
    say("user", luck > 0.985 ? "" : prefix + scene.fill(template));
    interrupted = false;
    if (chatty && random.chance(0.2)) say("user", random.pick(mumbles[language]));
  };
  const agent = (template: string): void => {
    const text = scene.fill(template);
    const cut = scene.historySync && text.length > 12 && random.chance(0.12);
    say("agent", cut ? interrupt(random, text) : text);
    interrupted = cut;
    if (chatty && !cut && random.chance(0.08)) say("agent", random.pick(nudges[language]));
  };
  const full = (): boolean => (bytes === undefined ? turns.length >= target - 2 : size >= bytes - 300);

  say("agent", scene.greeting, "greeting");
  for (let i = 0; !full(); i++) {
    if (i > 0 && i % scenario.talk.length === 0) scene.newTopic();
    const [question, answer] = scenario.talk[i % scenario.talk.length] ?? random.pick(scenario.talk);
    user(question);
    agent(answer);
  }
  if (target > 1) {
    const [thanks, goodbye] = random.pick(scenario.closing);
    user(thanks);
    if (!endsOnUser) agent(goodbye);
  }
  if (turns.length > MOST_TURNS && bytes === undefined) turns.length = MOST_TURNS;
  return { turns, seconds: Math.ceil((turns.at(-1)?.begin ?? 0) + random.next() * 6) };
};
