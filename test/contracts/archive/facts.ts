import { expect } from "vitest";
import { type Clauses, expectRefused } from "./contract.ts";

export const facts = {
  "an archive has a random id that stays": async ({ open, another }) => {
    const id = await (await open()).fact("id");
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(await (await open()).fact("id")).toBe(id);
    expect(await (await (await another()).open()).fact("id")).not.toBe(id);
  },

  "facts are kept, changed and deleted, each by its name": async ({ open }) => {
    const archive = await open();
    expect(await archive.fact("region")).toBeUndefined();
    const text = "cn-x'\"%\\; --\u{1f600}";
    await archive.setFact("region", text);
    await archive.setFact("account", "1");
    await archive.setFact("account", "2");
    await archive.setFact("listed:a", "yes");
    await archive.setFact("listed:A", "no");
    const other = await open();
    expect(await Promise.all((["region", "account", "listed:a", "listed:A"] as const).map(other.fact))).toEqual([
      text,
      "2",
      "yes",
      "no",
    ]);
    await archive.setFact("region", undefined);
    expect(await other.fact("region")).toBeUndefined();
    expect(await other.fact("account")).toBe("2");
  },

  "a closed archive answers with an error": async ({ open }) => {
    const archive = await open();
    await archive.setFact("region", "x");
    await archive.close();
    await expectRefused((async () => archive.fact("region"))(), /Error/);
  },
} satisfies Clauses;
