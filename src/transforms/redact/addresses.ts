import { englishAddresses } from "./english-addresses.ts";
import { matchesOf } from "./matches.ts";
import type { Finder, Span } from "./span.ts";
import { CHINESE_DIGITS } from "./words.ts";

const NUMBER = `(?:[甲乙丙丁附]\\s?)?(?:\\d{1,5}(?:[-－—之]\\d{1,4}){0,2}|[${CHINESE_DIGITS}十百千]{1,8}(?:[杠之][${CHINESE_DIGITS}十百]{1,4})?)`;
const BLOCK = `(?:[A-Za-z东南西北甲乙丙丁]\\s?[区座栋幢]?|${NUMBER}|[A-Za-z]\\s?${NUMBER})\\s?(?:号楼|号院|号|栋|幢|座|弄|单元|层|楼|室|户|房|门|支弄|组|队|区|期)(?![线口])`;
const ESTATE =
  "(?:小区|花园|家园|花苑|公寓|大厦|新村|名邸|名苑|华府|华庭|雅居|雅苑|佳苑|佳园|嘉园|嘉苑|广场|公馆|豪庭|山庄|别墅|社区|新城|御府|华城|名城|丽都|宿舍|产业园|科技园|工业园|软件园|创业园|写字楼|国际|中心|苑|府|里|园|城)";
/** What may follow the number of a house: building, unit, floor, room. */
const REST = new RegExp(
  `^院?(?:[\\s,，]?(?:的)?(?:[\\u4e00-\\u9fff]{1,8}?${ESTATE}(?=[\\s,，]?(?:${BLOCK}|${NUMBER})))?[\\s,，]?${BLOCK}|[\\u4e00-\\u9fff]{2,8}?(?:大厦|大楼|公寓|小区|花园|写字楼|广场|中心)){0,6}` +
    `(?:[\\s,，]?(?:[A-Za-z]\\s?-?)?(?:\\d{3,4}(?:-\\d{1,4})?|[零幺一二三四五六七八九两]{3,4})(?![\\d${CHINESE_DIGITS}元块年月点个天吨斤十百千万-]|号线))?`,
);
/** A street with a number, an estate with a building, a village with a house. */
const ANCHOR = new RegExp(
  `(?<road>大道|[东西南北中]?路|[东西南北中]?街|[东南西北]?大街|胡同|巷|环路|弄堂)\\s?(?:[东西南北中一二三四五六]段)?\\s?(?<![这那条一走哪段]条?[路街])${NUMBER}\\s?[号弄](?![线口文窗店码]|出口)` +
    `|${ESTATE}[\\s,，]?(?:${NUMBER}|[A-Za-z])\\s?(?:号楼|栋|幢|座|单元|期)[\\s,，]?(?:[\\u4e00-\\u9fffA-Za-z\\d]{1,6}?(?:单元|室|户|层|号|楼|房)|\\d{3,4}|[零幺一二三四五六七八九两]{3,4})` +
    `|(?<estate>小区|花园|家园|花苑|公寓|新村|华府|华庭|雅居|雅苑|佳苑|佳园|嘉园|嘉苑|公馆|豪庭|山庄)[\\s,，]?${NUMBER}\\s?(?:号楼|栋|幢)` +
    `|[村屯寨][\\s,，]?${NUMBER}\\s?(?:组|队|号)(?![线口文])`,
  "g",
);
/** Words that end like a street. */
const NO_STREET =
  /(?:线|电|道|公|铁|思|套|一|半|出|走|迷|同|带|门|来|短|回|网|马|认|领|赶|上|修|让|拦|问|绕|顺|航|高速公|生|活|后|末|绝|弯|远|近|过|逛|高速|上|本|该|全)(?:路|街|巷)$/;
const HERE = /[\u4e00-\u9fffA-Za-z\d]/;
/** The address begins after the last of these words. */
const BEFORE =
  /.*(?:住在|家在|位于|送[到至去]?|寄[到至去]?|发[到至往]|搬[到至]|来到|改[成到为]|地[址点](?:是|在|为|就是|写的?是?|改[成到为])?|户[籍口](?:地|在|是|所在地)?|住址(?:是|为)?|公司|单位|医院|学校|酒店|我家|家里|老家|收货|导航|上门|过来|就是|应该|现在|目的地|起点|终点|店在|我们|您们|你们|[是在住到往从去我你您他她的了给叫跟把请嗯呃啊哦吧就至对]|和(?![谐平])|那个|这个|一个)/s;
const LEFT = 32;

/** Finds Chinese and English postal addresses with the number of a house. */
export const addresses: Finder = (text) => [
  ...(ADDRESS.test(text) ? chineseAddresses(text) : []),
  ...englishAddresses(text),
];
const ADDRESS = /[路街道巷弄村屯寨同区园苑厦寓邸府居庭场馆庄墅城都舍楼际心里]/;

const chineseAddresses = (text: string): Span[] => {
  const spans: Span[] = [];
  let from = 0;
  for (const { 0: source, index, groups } of matchesOf(ANCHOR, text)) {
    if (index < from) continue;
    const start = startOf(text, from, index);
    const street = text.slice(start, index + (groups?.road?.length ?? 0));
    const least = groups?.road === undefined ? (groups?.estate === undefined ? 1 : 2) : 2;
    const nameless = index === start && street.length < 3;
    if (nameless || street.length < least || (groups?.road !== undefined && NO_STREET.test(street))) continue;
    const anchored = index + source.length;
    const rest = REST.exec(text.slice(anchored, anchored + 60))?.[0] ?? "";
    from = anchored + rest.trimEnd().length;
    spans.push({ start, end: from, name: "address", value: text.slice(start, from).replace(/[\s,，]/g, "") });
  }
  return spans;
};

/** Where the province, city, district and street before a number begin. */
const startOf = (text: string, from: number, anchor: number): number => {
  let start = anchor;
  const least = Math.max(from, anchor - LEFT);
  while (start > least && continues(text, start)) start -= 1;
  while (start < anchor && /[\s,，]/.test(text[start] ?? "")) start += 1;
  const lead = BEFORE.exec(text.slice(start, anchor))?.[0].length ?? 0;
  return start + lead;
};

/** Separators stand only after a province, city, district or town. */
const continues = (text: string, at: number): boolean => {
  const before = text[at - 1] ?? "";
  return HERE.test(before) || (/[\s,，]/.test(before) && /[省市区县镇乡道州旗路\s,，]/.test(text[at - 2] ?? ""));
};
