import type { Language } from "./scenario.ts";

/** An exchange in which the agent calls a tool of the device. */
export interface DeviceCommand {
  readonly prompt: string;
  readonly text: string;
  readonly domain: string;
  readonly intent: string;
  readonly parameters: readonly { name: string; value: string; norm_value: string }[];
}

export const deviceCommands: Readonly<Record<Language, readonly DeviceCommand[]>> = {
  zh: [
    {
      prompt: "明早六点四十叫我起床。",
      text: "好的,闹钟定在明早六点四十。",
      domain: "alarm",
      intent: "set_alarm",
      parameters: [
        { name: "time", value: "明早六点四十", norm_value: "06:40" },
        { name: "repeat", value: "False", norm_value: "False" },
      ],
    },
    {
      prompt: "把客厅的灯调暗一半。",
      text: "客厅的灯已经调到百分之五十。",
      domain: "smart_home",
      intent: "set_brightness",
      parameters: [
        { name: "room", value: "客厅", norm_value: "living_room" },
        { name: "brightness", value: "一半", norm_value: "50" },
      ],
    },
    {
      prompt: "导航去最近的加油站,避开高速。",
      text: "已为您规划不走高速的路线。",
      domain: "navigation",
      intent: "start_route",
      parameters: [
        { name: "destination", value: "最近的加油站", norm_value: "gas_station:nearest" },
        { name: "avoid", value: "高速", norm_value: "highway" },
      ],
    },
  ],
  en: [
    {
      prompt: "Set a timer for a quarter of an hour.",
      text: "Fifteen minutes, starting now.",
      domain: "timer",
      intent: "start_timer",
      parameters: [{ name: "duration", value: "a quarter of an hour", norm_value: "900" }],
    },
    {
      prompt: "It's too loud in here, turn it down by a third.",
      text: "Done, the volume is lower.",
      domain: "volume",
      intent: "change_volume",
      parameters: [{ name: "change", value: "down by a third", norm_value: "-33" }],
    },
    {
      prompt: 'Text Nora: "Running late, start without me."',
      text: "I have sent your message to Nora.",
      domain: "message",
      intent: "send_message",
      parameters: [
        { name: "contact", value: "Nora", norm_value: "nora" },
        { name: "body", value: "Running late, start without me.", norm_value: "Running late, start without me." },
      ],
    },
  ],
};
