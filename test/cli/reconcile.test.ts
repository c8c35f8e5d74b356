import { describe, expect, test } from "vitest";
import { receiver } from "../helpers/receiver.ts";
import { parseLines, summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const TOKEN = "a token of callbacks";

type Gap = { id: string; gap: string; turns?: number; state?: string };

const SETTLE = { CALLARCHIVE_SETTLE: "0" };
const reconcile = (place: Workplace, ...args: string[]) =>
  place.runHere(["reconcile", "--json", "--log-format", "json", ...args], { env: SETTLE });

/** Callbacks of these calls are received and moved into the archive. */
const receive = async (place: Workplace, bodies: readonly unknown[]): Promise<void> => {
  const running = await receiver(place, undefined, ["--no-media"], { CALLARCHIVE_CALLBACK_TOKEN: TOKEN });
  for (const body of bodies) {
    const headers = { "content-type": "application/json", authorization: TOKEN };
    const { status } = await fetch(running.url, { method: "POST", headers, body: JSON.stringify(body) });
    expect(status).toBe(200);
  }
  expect((await running.stop()).code).toBe(0);
};

describe("reconcile", () => {
  test("fetches the call logs of calls that are known by callbacks, and then there is no gap", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 5, agents: 1 });
    const ids = [...cloud.ids()];
    await receive(
      place,
      ids.flatMap((id) => cloud.callbacks(id)),
    );
    const before = await reconcile(place, "--offline");
    expect([before.code, parseLines<Gap>(before.stdout).map(({ id, gap }) => [id, gap])]).toEqual([
      3,
      ids.map((id) => [id, "no-call-log"]),
    ]);
    const ran = await reconcile(place);
    expect([ran.code, ran.stdout, summaryOf(ran)]).toEqual([
      0,
      "",
      expect.objectContaining({ calls: 5, requested: 5, fetched: 5, gaps: 0 }),
    ]);
    expect(summaryOf(await reconcile(place))).toMatchObject({ calls: 5, requested: 0, gaps: 0 });
  });

  test("names a call log that is gone, calls without callbacks among others, and turns of one side only", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 6, agents: 1 });
    const ids = [...cloud.ids()];
    const [first = "", silent = "", half = "", more = "", , last = ""] = ids;
    const said = cloud.callbacks(half).filter(({ event }) => event === "chat_record");
    const extra = structuredClone(cloud.callbacks(more).find(({ event }) => event === "chat_record")) as {
      dialogues?: object[];
      data?: { dialogues?: object[] };
    };
    const [dialogue] = extra.dialogues ?? extra.data?.dialogues ?? [];
    Object.assign(dialogue ?? {}, { dialogueId: "another", text: "nobody logged this sentence" });
    await receive(place, [
      ...cloud.callbacks(first),
      ...cloud.callbacks(half).filter((body) => body.requestId !== said[0]?.requestId && body.event !== "audio_record"),
      ...[...cloud.callbacks(more), extra],
      ...cloud.callbacks(last),
      { ...cloud.callbacks(first)[0], instanceId: "gone-from-the-cloud" },
    ]);
    expect((await place.runHere(["pull", first, silent, half, more, last])).code).toBe(0);
    const ran = await reconcile(place);
    const gaps = parseLines<Gap>(ran.stdout).map(({ id, gap, turns, state }) => [id, gap, turns ?? state]);
    expect(ran.code).toBe(3);
    expect(gaps.toSorted()).toEqual(
      [
        ["gone-from-the-cloud", "no-call-log", "missing"],
        [silent, "no-callbacks", undefined],
        [half, "turns-only-in-log", 1],
        [more, "turns-only-in-callbacks", 1],
      ].toSorted(),
    );
    const text = await place.runHere(["reconcile", "--offline"], { env: SETTLE });
    expect(text.stdout).toContain(`${silent}: there is a call log, but no callbacks\n`);
  });
});
