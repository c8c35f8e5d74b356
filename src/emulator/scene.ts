import { english } from "./phrases-en.ts";
import { chinese } from "./phrases-zh.ts";
import type { Random } from "./random.ts";
import type { Language, Scenario } from "./scenario.ts";
import { phoneNumber, slots } from "./slots.ts";

/** Everything about a call that is decided before its first word. */
export interface Scene {
  readonly scenario: Scenario;
  readonly language: Language;
  readonly system: string;
  readonly greeting: string;
  readonly voice: string;
  /** JSON text from the app that started the call. */
  readonly userData: string;
  readonly agentUserId: string;
  readonly remoteUserId: string;
  readonly sessionId: string;
  readonly channelId: string;
  readonly authToken: string;
  readonly phone?: { caller: string; callee: string };
  /** If true, the platform marks interruptions inside agent texts. */
  readonly historySync: boolean;
  fill(template: string): string;
  /** Starts a new topic in the same call: a new order number, the same names. */
  newTopic(): void;
}

const names = new Set(["agent", "company", "hospital", "hotel", "name"]);
const compiled = new Map<string, readonly string[]>();
const parts = (template: string): readonly string[] => {
  const list = compiled.get(template) ?? template.split(/[{}]/);
  compiled.set(template, list);
  return list;
};

export const createScene = (random: Random): Scene => {
  const language = random.chance(0.6) ? "zh" : "en";
  const scenario = random.pick(language === "zh" ? chinese : english);
  const known = new Map<string, string>();
  const slot = (name: string): string => {
    const seen = known.get(name);
    if (seen !== undefined) return seen;
    const value = slots[language][name]?.(random) ?? `{${name}}`;
    if (name !== "story") known.set(name, value);
    return value;
  };
  const fill = (template: string): string => {
    let text = "";
    parts(template).forEach((part, i) => {
      text += i % 2 ? slot(part) : part;
    });
    return text;
  };
  const onPhone = random.chance(1 / 3);
  const caller = phoneNumber(random);
  const outbound = scenario.name === "debt-reminder" || scenario.name === "insurance-renewal";
  const service = `0571${random.digits(8)}`;
  return {
    scenario,
    language,
    system: fill(scenario.system),
    greeting: fill(scenario.greeting),
    voice: random.pick(language === "zh" ? ["longxiaochun", "zhitian_emo", "aixia"] : ["longanna", "abby", "andy"]),
    userData: JSON.stringify({
      scenario: scenario.name,
      customerId: `C${random.digits(7)}`,
      channel: onPhone ? "phone" : random.pick(["app", "web", "miniapp"]),
      vip: random.chance(0.2),
    }),
    agentUserId: `AGENT_USER${random.hex(32)}`,
    remoteUserId: onPhone ? caller : random.digits(9),
    sessionId: random.hex(32),
    channelId: random.hex(24),
    authToken: `AUTHTOKEN${random.hex(48)}`,
    ...(onPhone && { phone: outbound ? { caller: service, callee: caller } : { caller, callee: service } }),
    historySync: random.chance(0.5),
    fill,
    newTopic: () => {
      for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    },
  };
};
