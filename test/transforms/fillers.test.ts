import { describe, expect, it } from "vitest";
import { withoutFillers } from "../../src/transforms/curate/fillers.ts";

describe("fillers", () => {
  it.each([
    ["嗯,我要退货", "我要退货"],
    ["嗯好的", "好的"],
    ["就是,那个,我的包裹", "我的包裹"],
    ["我……嗯……", "我……"],
    ["呃,啊,你好", "你好"],
    ["嗯嗯。", ""],
    ["Um, where is it?", "where is it?"],
    ["Well, um, I want, uh, tea", "Well, I want, tea"],
    ["I... um...", "I..."],
    ["Uh", ""],
    ["I want um. Then go", "I want. Then go"],
  ])("go from %j: %j", (text, left) => {
    expect(withoutFillers(text)).toBe(left);
  });
  it.each([
    "我要那个",
    "那个红色的",
    "就是",
    "额外费用",
    "唔要",
    "啊",
    "嗯？",
    "hm?",
    "Uh-huh.",
    "the ER is here",
    "5 mm",
    "umbrella",
    "drum",
    "订单号 u-m-1",
    "",
    " ",
    "  spaced  out  ",
  ])("stay in %j, where they are words or answers", (text) => {
    expect(withoutFillers(text)).toBe(text);
  });
});
