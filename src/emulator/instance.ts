import type { Call } from "./corpus.ts";
import type { Scene } from "./scene.ts";

type Fields = Record<string, unknown>;

/** "2025-07-18T06:39:08.000+00:00" */
const gmt = (seconds: number): string => `${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19)}.000+00:00`;

/** "2025-07-18T06:39:08.123456+00:00" */
const precise = (seconds: number): string => {
  const micros = Math.floor((seconds - Math.floor(seconds)) * 1e6);
  return `${gmt(seconds).slice(0, 19)}.${String(micros).padStart(6, "0")}+00:00`;
};

const runtimeConfig = ({ agentUserId, channelId, authToken }: Scene): Fields => {
  const channel = { AgentUserId: agentUserId, ChannelId: channelId, AuthToken: authToken };
  return { ...channel, VoiceChat: channel };
};

const agentConfig = ({ system, greeting, voice, language, historySync }: Scene): Fields => ({
  Greeting: greeting,
  LlmConfig: { LlmSystemPrompt: system, LlmHistory: [], HistorySyncWithTTS: historySync },
  AsrConfig: { AsrLanguageId: language === "zh" ? "zh_mandarin" : "en" },
  TtsConfig: { VoiceId: voice },
});

const callInfo = (call: Call, scene: Scene): Fields => {
  const numbers = scene.phone && { CallerNumber: scene.phone.caller, CalleeNumber: scene.phone.callee };
  const basics = { CallStartTime: precise(call.start), ...numbers };
  if (call.status !== "Finished") return { ...basics, Status: call.status };
  const { seconds } = call.log();
  return {
    ...basics,
    CallEndTime: precise(call.start + seconds),
    CallDuration: seconds,
    HangupRole: seconds % 2,
    Status: "Finished",
  };
};

/** An item of ListAIAgentInstance, which has neither the id nor the time of the call. */
export const listItem = (call: Call, link: string | undefined): Fields => {
  const scene = call.scene();
  return {
    ...(link !== undefined && { CallLogUrl: link }),
    Status: call.status,
    RuntimeConfig: runtimeConfig(scene),
    AgentConfig: agentConfig(scene),
    TemplateConfig: { VoiceChat: { Greeting: scene.greeting, VoiceId: scene.voice } },
    UserData: scene.userData,
  };
};

/** The Instance of DescribeAIAgentInstance. */
export const fullInstance = (call: Call, link: string | undefined, session: string): Fields => {
  const scene = call.scene();
  const ended = call.status === "Finished" ? call.start + call.log().seconds : call.start;
  return {
    ...listItem(call, link),
    GmtCreate: gmt(call.start),
    GmtModified: gmt(ended),
    SessionId: session,
    CallInfo: callInfo(call, scene),
    ...call.instance,
  };
};
