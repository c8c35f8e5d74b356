import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/core/transcript.ts";
import { scoreQuestion, scoreRowOf } from "../../../src/transforms/quality/score-rows.ts";

const read = (row: Json) => {
  const found = scoreRowOf(row);
  return found && { id: found.id, ...Object.fromEntries(found.values) };
};

describe("rows of scores", () => {
  test("are plain, with numbers or texts of numbers", () => {
    expect(read({ id: "a", score: 0.5, why: "x" })).toEqual({ id: "a", score: [0.5] });
    expect(read({ id: "a#2", score: " 4 " })).toEqual({ id: "a#2", score: [4] });
    for (const score of ["", "good", null, {}, "Infinity", true]) expect(read({ id: "a", score })).toEqual({ id: "a" });
    for (const row of [null, 3, "a", [], {}, { id: "a" }, { score: 1 }, { id: 7, score: 1 }, { id: "", score: 1 }])
      expect(read(row)).toBeUndefined();
  });

  test("are records of Argilla, without drafts and discarded responses, and without suggestions", () => {
    const responses = {
      rating: [
        { value: 4, user_id: "u1", status: "submitted" },
        { value: 2, user_id: "u2" },
        { value: 1, user_id: "u3", status: "draft" },
        { value: 1, user_id: "u4", status: "discarded" },
      ],
      comment: [{ value: "good", user_id: "u1" }],
    };
    const suggestions = { rating: { value: 5, score: 0.9, agent: "m" } };
    expect(read({ id: "a", fields: {}, metadata: {}, suggestions, responses, vectors: {} })).toEqual({
      id: "a",
      rating: [4, 2],
    });
    expect(read({ id: "a", fields: {}, suggestions, responses: {} })).toEqual({ id: "a" });
  });

  test("are tasks of Label Studio: ratings, numbers and choices, without cancelled annotations", () => {
    const result = (from_name: string, value: Json) => ({ from_name, to_name: "dialog", type: "rating", value });
    const task = {
      id: 17,
      data: { id: "a", dialog: [] },
      annotations: [
        { was_cancelled: false, result: [result("quality", { rating: 3 }), result("length", { number: 9 })] },
        { was_cancelled: true, result: [result("quality", { rating: 1 })] },
        { result: [result("quality", { choices: ["5"] }), result("topic", { choices: ["1", "2"] })] },
      ],
      predictions: [{ result: [result("quality", { rating: 1 })] }],
    };
    expect(read(task)).toEqual({ id: "a", quality: [3, 5], length: [9] });
    expect(read({ ...task, data: { sample_id: "b" } })?.id).toBe("b");
    expect(read({ ...task, data: { text: "x" } })).toBeUndefined();
    expect(read({ ...task, annotations: [] })).toEqual({ id: "a" });
  });

  test("the score is the answer to the only question, or to the one that is named so", () => {
    expect(scoreQuestion(new Set(["quality"]))).toBe("quality");
    expect(scoreQuestion(new Set(["length", "rating"]))).toBe("rating");
    expect(scoreQuestion(new Set(["rating", "score"]))).toBe("score");
    expect(scoreQuestion(new Set(["length", "quality"]))).toBeUndefined();
  });
});
