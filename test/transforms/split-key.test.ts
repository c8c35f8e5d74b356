import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Participants } from "../../src/core/transcript.ts";
import { createSplitter, parseSplits } from "../../src/transforms/split.ts";
import { personIn, splitKey } from "../../src/transforms/split-key.ts";

const subject = (participants: Participants = {}) => ({
  id: "c1",
  agentId: "agent",
  sessionId: "session",
  participants,
});

describe("the key of a split", () => {
  it("is the conversation's id, as in older data sets, where nothing else is wanted or known", () => {
    expect(splitKey(subject({ caller: "1" }), "conversation")).toBe("c1");
    for (const by of ["caller", "agent", "session"] as const)
      expect(splitKey({ id: "c1", participants: {} }, by)).toBe("c1");
  });
  it("is the same for one agent, session or caller, and never that of a conversation", () => {
    expect(splitKey(subject(), "agent")).toBe("agent:agent");
    expect(splitKey(subject(), "session")).toBe("session:session");
    expect(splitKey(subject({ remoteUserId: "u1" }), "caller")).toBe("caller:u1");
  });
  it.each<[string, Participants, string | undefined]>([
    ["the caller of an inbound call", { caller: "13800138000", callee: "057188888888" }, "13800138000"],
    ["the callee of an outbound call", { caller: "057188888888", callee: "13800138000" }, "13800138000"],
    [
      "the number that is the user's id",
      { caller: "02011112222", callee: "057188888888", remoteUserId: "0571-88888888" },
      "057188888888",
    ],
    ["the caller of two landlines", { caller: "02011112222", callee: "057188888888" }, "02011112222"],
    ["the caller of two mobiles", { caller: "13800138000", callee: "13900139000" }, "13800138000"],
    ["the user of an app", { remoteUserId: "user-7" }, "user-7"],
    ["a user whose id is a mobile number", { remoteUserId: "+86 138-0013-8000", caller: "x" }, "13800138000"],
    ["nobody", { agentUserId: "agent" }, undefined],
    ["nobody, of empty texts", { remoteUserId: "", caller: "" }, undefined],
  ])("is of %s", (_, participants, person) => {
    expect(personIn(participants)).toBe(person);
  });
  it("is the same however a number is written", () => {
    const signs = fc.constantFrom("", " ", "-", "+86", "0086", "86", "+86 ");
    fc.assert(
      fc.property(fc.integer({ min: 13000000000, max: 19999999999 }), signs, signs, (number, one, other) => {
        const mobile = String(number);
        const written = (sign: string): string =>
          /\d/.test(sign)
            ? sign + mobile
            : `${mobile.slice(0, 3)}${sign}${mobile.slice(3, 7)}${sign}${mobile.slice(7)}`;
        expect(personIn({ caller: written(one), callee: "4001234567" })).toBe(
          personIn({ callee: written(other), caller: "4001234567" }),
        );
      }),
    );
  });
  it("puts all conversations of a caller into one split", () => {
    const split = createSplitter(parseSplits("train=0.5,test=0.5"), "1");
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 8 }),
        (user, ids) => {
          const found = ids.map((id) => split(splitKey({ id, participants: { remoteUserId: user } }, "caller")));
          expect(new Set(found).size).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
