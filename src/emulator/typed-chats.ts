import type { AttachedFile, Dialogue } from "./dialogue.ts";
import { dialogueText, reasoning } from "./dialogue-text.ts";
import { digest } from "./digest.ts";
import { picture } from "./media-bytes.ts";
import type { ObjectPort } from "./object-port.ts";
import { hash32, Random } from "./random.ts";
import { createScene } from "./scene.ts";

const BUCKET = "emulator-files";

export interface TypedChatsOptions {
  seed: number;
  objects: ObjectPort;
  linkTtlSeconds: number;
}

/** When a session has typed messages, in milliseconds since 1970. */
export interface TypedSpan {
  /** The first ones end before this. */
  before: number;
  /** More may follow after this; absent for a session without a call. */
  after?: number;
}

/** Writes the typed messages of sessions. */
export const createTypedChats = ({ seed, objects, linkTtlSeconds }: TypedChatsOptions) => {
  const stored = new Set<string>();

  const attachment = (random: Random, session: string): AttachedFile => {
    const id = random.hex(32);
    const key = `chat/${session}/${id}.png`;
    if (!stored.has(key)) objects.put({ bucket: BUCKET, key, body: picture(), type: "image/png" });
    stored.add(key);
    const name = `${random.pick(["receipt", "photo", "screenshot"])}-${random.digits(4)}.png`;
    return { Id: id, Name: name, Format: "png", Type: 1, Url: objects.link(BUCKET, key, linkTtlSeconds) };
  };

  /** Some exchanges, as [producer, text, type], in their order. */
  const exchanges = (random: Random, count: number): ["user" | "agent", string, string][] => {
    const scene = createScene(random);
    const { talk } = scene.scenario;
    return Array.from({ length: count }, (_, number) => {
      const [question, answer] = talk[number % talk.length] ?? random.pick(talk);
      const type = random.chance(0.1) ? "custom" : "normal";
      return [
        ["user", scene.fill(question), "normal"],
        ["agent", scene.fill(answer), type],
      ] as ["user" | "agent", string, string][];
    }).flat();
  };

  return {
    /** The typed messages of a session, in the order of their times. */
    of: (session: string, { before, after }: TypedSpan): Dialogue[] => {
      const random = new Random(seed, hash32(session), 0x7c5e);
      const parts = exchanges(random, random.int(1, 3));
      const gaps = parts.map(() => random.int(2_000, 25_000));
      const opening = parts.map(([producer, text, type], index) => {
        const later = gaps.slice(index).reduce((sum, gap) => sum + gap, 0);
        return { producer, text, type, time: before - 5_000 - later };
      });
      let clock = (after ?? before) + random.int(4_000, 60_000);
      const ending = (after === undefined ? [] : exchanges(random, random.int(0, 2))).map(([producer, text, type]) => {
        clock += random.int(2_000, 25_000);
        return { producer, text, type, time: clock };
      });
      const greets = random.chance(0.3);
      const first = opening[0]?.time ?? before;
      const announcement = {
        producer: "agent",
        text: "您好 / Hello!",
        type: "announcement",
        time: first - 800,
      } as const;
      let round = 0;
      return [...(greets ? [announcement] : []), ...opening, ...ending].map((message, index): Dialogue => {
        const { producer, text, type, time } = message;
        if (producer === "user") round++;
        const isUser = producer === "user";
        return {
          DialogueId: digest(seed, session, "chat", index),
          RoundId: digest(seed, session, "chat-round", round),
          Producer: producer,
          Text: dialogueText(random, text),
          ...(!isUser && random.chance(0.2) && { ReasoningText: reasoning(random, text) }),
          Time: time,
          Source: "chat",
          Type: type,
          ...(random.chance(0.1) && { Extend: JSON.stringify({ client: random.pick(["ios", "android", "web"]) }) }),
          ...(isUser && random.chance(0.3) && { AttachedFileList: [attachment(random, session)] }),
        };
      });
    },
  };
};

export type TypedChats = ReturnType<typeof createTypedChats>;
