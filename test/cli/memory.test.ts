import { describe, expect, test } from "vitest";
import { SOAK } from "../helpers/soak.ts";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const MEGABYTE = 1024 * 1024;

/** A call log of about 60 MB, made of one turn again and again. */
const long = (turn: (at: number) => object): string => {
  const turns: string[] = [];
  for (let size = 0, at = 1; size < 60 * MEGABYTE; at += 1) {
    const text = JSON.stringify(turn(at));
    turns.push(text);
    size += Buffer.byteLength(text) + 1;
  }
  return `{"startTime":1755138072.5,"dialog":[${turns.join(",")}]}`;
};

const role = (at: number): string => (at % 2 === 0 ? "agent" : "user");
const logs: [name: string, body: () => string][] = [
  [
    "of long turns",
    () => long((id) => ({ id, begin: id, role: role(id), type: "normal", text: "好的，请稍等。".repeat(4) })),
  ],
  ["of short turns", () => long((id) => ({ id, begin: id, role: role(id), type: "normal", text: `好${id}` }))],
  ["of two million turns", () => long((at) => ({ role: role(at), text: "ok" }))],
  ["with a field that is not known", () => long((id) => ({ id, begin: id, role: role(id), text: "ok", mood: id }))],
];

const env = { NODE_OPTIONS: "--max-old-space-size=1024" };
const exported = (place: Workplace, ...flags: string[]) => place.run(["export", "--offline", ...flags], { env });

describe.runIf(SOAK)("a call log of 60 MB is pulled and exported with a heap of 1 GB", () => {
  test.each(logs)(
    "%s",
    async (_, body) => {
      const place = workplace();
      const cloud = await place.cloud({ calls: 1 });
      cloud.add({ id: "long", body: body() });
      expect((await place.run(["pull", ...cloud.ids()], { env })).code).toBe(0);
      for (const format of ["ndjson", "csv", "messages", "raw"])
        for (const threads of ["0", "2"]) {
          const ran = await exported(place, "-f", format, "--threads", threads, "-o", `${format}-${threads}/`);
          expect({ format, threads, code: ran.code }).toEqual({ format, threads, code: 0 });
        }
      expect((await exported(place, "--rows", "turn", "-o", "turns/")).code).toBe(0);
    },
    600_000,
  );
});
