import fc from "fast-check";
import { INTERRUPTED, type Transcript, type Turn } from "../../src/core/transcript.ts";
import { startEmulator } from "../../src/emulator/index.ts";
import { callTranscript } from "../../src/parse/call-log.ts";
import { SOAK } from "../helpers/soak.ts";

/** How many emulated calls every preset has to bear; `npm run soak` asks for more. */
export const CALLS = SOAK ? 10_000 : 150;

/** Calls of the emulator, every second one with a system prompt, as described calls have. */
export const emulatedCalls = async (calls: number): Promise<Transcript[]> => {
  const emulator = await startEmulator({ calls });
  const made = [...emulator.ids()].map((id, index) => ({
    ...callTranscript({ id, document: { bytes: emulator.callLog(id) ?? new Uint8Array(), sha256: "00" } }),
    ...(index % 2 === 0 && { system: "You are Xiaoyun, a patient assistant." }),
  }));
  await emulator.close();
  return made;
};

export const call = (turns: Partial<Turn>[], more: Partial<Transcript> = {}): Transcript => ({
  id: "c",
  source: "calls",
  participants: {},
  turns: turns.map((turn, index) => ({ id: String(index + 1), role: "user", kind: "normal", text: "", ...turn })),
  provenance: { records: [{ source: "calls", sha256: "00", bytes: 2 }] },
  ...more,
});

/** A caller asks, the agent asks a tool, then answers. */
export const withTools = (more: Partial<Turn> = {}): Transcript =>
  call([
    { role: "agent", kind: "greeting", text: "Hello." },
    { text: "Where is my parcel?" },
    { role: "agent", toolCalls: [{ id: "call00001", name: "track", arguments: '{"parcel":7}' }], ...more },
    { role: "tool", text: '{"at":"Hangzhou"}', toolCallId: "call00001" },
    { role: "agent", text: "In Hangzhou." },
    { text: "Thanks." },
    { role: "agent", text: "You are welcome." },
  ]);

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", " ", INTERRUPTED, `a ${INTERRUPTED} b`, "你好", "。", "Hi", "\u3000", "嗯，", "um", "a\ud800"),
  fc.constantFrom("<|im_end|>", "</s>", "[INST]", "<think>", "<image>", "<|im_", "end|>", "a\0b", "＜｜", "x｜＞"),
);
const toolCalls = fc.array(
  fc.record({ id: fc.constantFrom("a", "b"), name: text, arguments: fc.constantFrom("{}", "", "nope") }),
  {
    maxLength: 2,
  },
);
const turn: fc.Arbitrary<Partial<Turn>> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ role: fc.constantFrom("user", "agent"), text }) },
  { weight: 1, arbitrary: fc.record({ role: fc.constant("agent"), text, toolCalls, reasoning: text }) },
  { weight: 1, arbitrary: fc.record({ role: fc.constant("tool"), text, toolCallId: fc.constantFrom("a", "b") }) },
  { weight: 1, arbitrary: fc.record({ role: fc.constantFrom("system", "supervisor"), text }) },
);

/** Any turns that a log may hold, in any order. */
export const anyCall: fc.Arbitrary<Transcript> = fc
  .tuple(fc.array(turn, { maxLength: 10 }), fc.option(text, { nil: undefined }))
  .map(([turns, system]) => call(turns, system === undefined ? {} : { system }));
