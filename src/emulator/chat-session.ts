import { deviceCommands } from "./chat-commands.ts";
import type { Random } from "./random.ts";
import { createScene } from "./scene.ts";

/** The data of a chat log, but for its ids. */
export interface ChatExchange {
  readonly code: string;
  readonly message: string;
  /** JSON text. */
  readonly input: string;
  /** JSON text; empty when the exchange failed. */
  readonly output: string;
}

const failures = [
  { code: "RequestTimeout", message: "The model did not answer in time." },
  { code: "DataInspectionFailed", message: "The content check refused the input." },
] as const;

/** Writes the exchanges of a session. @param given replaces the words of every exchange; none of them fails then */
export const createSession = (
  random: Random,
  count: number,
  given?: { prompt?: string | undefined; text?: string | undefined },
): ChatExchange[] => {
  const scene = createScene(random);
  const { talk, name } = scene.scenario;
  const device = JSON.stringify({ uuid: random.uuid() });
  const tokens = random.chance(0.5) ? { booking: { user_token: `USERTOKEN${random.hex(24)}` } } : {};
  const bizParams = {
    device: { device_id: device },
    resources: [],
    user: { user_id: scene.remoteUserId },
    user_defined_tokens: tokens,
  };
  const history: { role: "user" | "assistant"; content: string }[] = [];

  const exchange = (_: unknown, number: number): ChatExchange => {
    if (number > 0 && number % talk.length === 0) scene.newTopic();
    const [question, answer] = talk[number % talk.length] ?? random.pick(talk);
    const command = !given && random.chance(0.2) ? random.pick(deviceCommands[scene.language]) : undefined;
    const failure = !given && random.chance(0.05) ? random.pick(failures) : { code: "", message: "" };
    const prompt = given?.prompt ?? command?.prompt ?? scene.fill(question);
    const text = given?.text ?? command?.text ?? scene.fill(answer);
    const input = JSON.stringify({ biz_params: { chat_history: history, ...bizParams }, prompt });
    if (failure.code !== "") return { ...failure, input, output: "" };
    history.push({ role: "user", content: prompt }, { role: "assistant", content: text });
    const parameters = command?.parameters ?? [];
    const domain = command?.domain ?? name;
    const slots = parameters.map((parameter) => ({ ...parameter }));
    const bizInfo = {
      agent_infos: [{ code: domain, name: domain }],
      intent_infos: [{ domain, intent: command?.intent ?? "talk", slots }],
    };
    const commands = command ? [{ name: command.intent, params: slots }] : [];
    return { ...failure, input, output: JSON.stringify({ biz_info: bizInfo, output: { commands, text } }) };
  };
  return Array.from({ length: count }, exchange);
};
