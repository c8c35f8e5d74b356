import { beforeAll, describe, expect, it } from "vitest";
import { createRedactor, REDACT_CATEGORIES, type Redactor } from "../../../src/transforms/redact/index.ts";
import { callOf, redactText } from "./corpus.ts";

let redact: Redactor;
beforeAll(async () => {
  redact = await createRedactor({ categories: REDACT_CATEGORIES });
});
const said = (...texts: string[]): string[] => redact(callOf(...texts)).transcript.turns.map(({ text }) => text);

const TAG = "<ims_agent_interrupted>";

describe("numbers as they are heard", () => {
  it.each([
    ["an announced ID number with one misheard digit", "我的身份证号是110105194912310023", "我的身份证号是<ID_CARD_1>"],
    ["the same, spoken", "身份证幺幺零幺零五幺九四九幺二三幺零零二三", "身份证<ID_CARD_1>"],
    [
      "an announced card number with one misheard digit",
      "我银行卡号是6222021000112233442",
      "我银行卡号是<BANK_CARD_1>",
    ],
    ["the same in English", "my card number is 4111 1111 1111 1114", "my card number is <BANK_CARD_1>"],
    ["fillers inside a plate", "川A 呃 三七六八二", "<PLATE_1>"],
    ["fillers inside a passport", "护照 G，呃，六八五四三二幺零", "护照 <PASSPORT_1>"],
    ["tens in an address", "地址是一百九十二点一百六十八点一点二十", "地址是<IP_1>"],
    ["English tens in an address", "ping one ninety two dot one sixty eight dot one dot ten", "ping <IP_1>"],
    ["hook, crook and hole", "电话幺三勾洞洞幺三八拐拐洞", "电话<PHONE_1>"],
    ["slashes", "138/0013/8000", "<PHONE_1>"],
    ["keycap digits", [..."13800138000"].map((digit) => `${digit}\ufe0f\u20e3`).join(""), "<PHONE_1>"],
    ["zero-width separators", "13\u200b8001\u200d38000", "<PHONE_1>"],
    ["zero-width separators in a plate", "京A\u200b12345", "<PLATE_1>"],
    ["zero-width separators in an e-mail address", "li\u200b@qq.com", "<EMAIL_1>"],
    ["the barge-in tag in a number", `幺三八零零${TAG}幺三八零零零`, "<PHONE_1>"],
    ["the barge-in tag in a written number", `138${TAG}00138000好`, "<PHONE_1>好"],
    ["第一个 before a number", "第一个幺三二零零幺三八零零零", "第一个<PHONE_1>"],
    ["a Chinese name in an e-mail address", "我的邮箱是张三艾特qq点com", "我的邮箱是<EMAIL_1>"],
  ])("are found with %s", (_, text, redacted) => {
    expect(said(text)).toEqual([redacted]);
  });

  it("are the same number with tens and digit by digit", () => {
    expect(said("一九二点一六八点一点二零", "一百九十二点一百六十八点一点二十", "192.168.1.20")).toEqual([
      "<IP_1>",
      "<IP_1>",
      "<IP_1>",
    ]);
    expect(said("two hundred and five dot eleven dot twenty two dot zero", "205.11.22.0")).toEqual([
      "<IP_1>",
      "<IP_1>",
    ]);
    expect(said("护照G，呃，六八五四三二幺零", "护照G68543210")).toEqual(["护照<PASSPORT_1>", "护照<PASSPORT_1>"]);
  });

  it("are dictated across a barge-in tag at the end of a turn", () => {
    expect(said(`我的号码是幺三八零零${TAG}`, "嗯", "幺三八零零零")).toEqual([
      `我的号码是<PHONE_1>${TAG}`,
      "嗯",
      "<PHONE_1>",
    ]);
  });

  it.each([
    "订单号是622202100011223344",
    "会员卡号是6222021000112233442",
    "my gift card number is 4111 1111 1111 1114",
    "请在第三项打勾幺三五",
    "2025/08/14 10:30",
    `我说${TAG}好的`,
    "三个八一个六",
    "十点开门二十点关门",
  ])("leave %j alone", (text) => {
    expect(said(text)).toEqual([text]);
  });
});

describe("names, addresses and WeChat ids", () => {
  it.each([
    ["我叫张伟想问一下", "我叫<NAME_1>想问一下"],
    ["欧阳雪女士您好", "<NAME_1>女士您好"],
    ["my name is john smith and i called", "my name is <NAME_1> and i called"],
    ["am I speaking with Zoë O'Neill?", "am I speaking with <NAME_1>?"],
    [`新地址是文一西路308号28${TAG}栋1769`, "新地址是<ADDRESS_1>"],
    ["送到文三路138号3幢502室", "送到<ADDRESS_1>"],
    ["I live at 42 Baker Street, Apt 5B.", "I live at <ADDRESS_1>."],
    ["微信号是 z h a n g 幺二三", "微信号是 <WECHAT_1>"],
    ["微信13800138000", "微信<PHONE_1>"],
  ])("are found in %j", (text, redacted) => {
    expect(said(text)).toEqual([redacted]);
  });

  it("are one placeholder for one value, and look only for what is asked", async () => {
    expect(said("我叫王芳", "王芳女士您好", "王女士")).toEqual(["我叫<NAME_1>", "<NAME_1>女士您好", "<NAME_2>女士"]);
    const only = await createRedactor({ categories: ["name"] });
    expect(redactText(only, "我叫王芳，住文三路138号")).toBe("我叫<NAME_1>，住文三路138号");
  });
});
