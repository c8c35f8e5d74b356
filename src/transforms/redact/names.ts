import { englishNames } from "./english-names.ts";
import { matchesOf } from "./matches.ts";
import type { Finder, Span } from "./span.ts";
import { beginsNoName, COMPOUND, isClear, SURNAMES } from "./surnames.ts";

const HAN = /^[\u4e00-\u9fff]$/;
const FILL = "(?:[\\s，,：:、]|嗯|呃|啊|那个|就是){0,4}";

/** Words after which somebody says a whole name. */
const CUE = new RegExp(
  "(?:我(?:的(?:名字|全名|大名|真名))?(?:就?叫做?|名叫)|(?<![歌书店品菜文])名字?(?:就?叫做?|就?是)|(?<![报起取改点有没])(?:真实)?姓名|户名|署名|本人" +
    "|(?:收|寄|发|取)[件货]人|(?:联系|反映|投诉|举报|来电|求助|签收|负责|经办|预[订定约]|登记|入住|投保|申请|开户|持卡|被?保险|受益|收款|付款|汇款|借款|担保|当事|监护|委托|代理|承租|紧急联系|订票|乘车|报案)人|病人|患者|乘客|住客|学生|家长|车主|房主|业主|机主|户主|法人|司机|登记(?![表处卡信])" +
    "|(?:他|她|儿子|女儿|孩子|宝宝|老公|老婆|爱人|丈夫|妻子|妈妈|爸爸|母亲|父亲|奶奶|爷爷|哥哥|姐姐|弟弟|妹妹|同事|朋友|同学|老人|老太太|小孩)(?:的?名字)?(?:就?叫做?)|我(?:妈妈?|爸爸?|[哥姐弟妹]|爷爷?|奶奶?|姥[姥爷]|外[公婆]|[叔姨舅婶嫂])叫|(?<![上下])名叫)" +
    `(?<tail>${FILL}(?:就?(?:是|叫做?|为|写|填)|[改换][成为])?${FILL})`,
  "g",
);
/** Words after which a name may stand, or something else; what follows the name must show that it is one. */
const WEAK =
  /[我这那的边里]就?是|居民|住户|村民|租客|房客|顾客|员工|(?:转|寄|交|留)给|写|您?是不是|请问是|找一?下?|叫做?|转接?一?下?给?|联系一?下?|工号[\d零一二三四五六七八九幺]{1,8}/g;
const SELF =
  /(?:我就?是|我叫|客服|顾问|专员|管家|护士|叫我|助理|销售|柜员|坐席|师傅)\s?(?<name>[小阿](?<surname>[\u4e00-\u9fff]))(?=$|[^\u4e00-\u9fff]|[的是说给帮跟让在啊吧吗呢]|接待|为您|联系|服务)/g;
const SURNAME_SAID = new RegExp(`(?<![百同单复改原随])姓(?<name>${COMPOUND}|[${SURNAMES}])(?![名氏])`, "g");

/** What cannot be the first character of a given name. */
const NO_GIVEN = /^(?:[的了是我你您他她它什啥吗吧呢啊呀嘛哦在这那位您们]|[今昨明]天|[上下]午|[不没要还也就都给跟打从])/;
/** What begins a new word after a name of two characters. */
const NEXT = new RegExp(
  "^(?:[的了是我你您他她它啊呀吧呢嘛吗哦噢嗯呃额在要这那哪来也都还不没请怎谁很太最比但而或且因所却已必须电病货卡账款票码疼痛丢坏漏堵催欠借给跟就想住到从被把让找叫说讲问订约挂办买退换取送寄收]" +
    "|有(?![才福财德为志成义今昨明，,。\\s]|$|先生|女士)|和(?!平|谐|颐|美|顺|风|光|春)|与|[今昨前后去]年|[今昨明前后]天|明年|电话|手机|号码|身份|证件|银行|卡号|微信|邮箱|地址|预约|预[订定]|申请|咨询|查一?[下询看]|去|对[，,的吧不]|对$|好[的吗吧，,]|可以|帮|因为|所以|" +
    "然后|但是|应该|之[前后]|现在|刚[才刚]|[上下]午|晚上|早上|先生|女士|小姐|太太|同学|老师|医生|大夫|经理|主任|护士|师傅|谢谢|麻烦|能|会|家[里住在是长属人]|公司|单位|本人|" +
    "出生|性别|[男女](?:[，,\\s士性的]|[\\d一二三四五六七八九十])|年龄|工号|学号|车牌|护照|一[个下直共般些九二]|两[个位]|[零幺二三四五六七八九][零幺一二三四五六七八九十]|\\d|班级|科室|病[房床历]|床位|" +
    "入住|登记|签收|开[车的户票]|用[的了]|写|转[接账]|等[一了]|坐|看[病一下看]|做|吃|当时|为[了什]|以前|按|听|住院|出院|复诊|缴费|改[签成]|取消|投诉|反映|举报|需要|收到|发现|觉得|认为|知道|已经|正在|一直|总是|" +
    "老是|其实|可能|本来|名下|账[户号]|户[口名]|孩子|儿子|女儿|爸爸|妈妈|老[公婆师]|先[帮生说]|再|三年|[一二三四五六](?:年级|班)|上[了学班课午个次一二三四五六]|报[修名案警个]|人在|打[电来算给]|约了)",
);
/** What may follow a name after a weak cue. */
const ENDS =
  /^(?:$|[\s，,。.！!？?；;、：:）)]|[的是吗吧呢啊呀嘛我你您他她想要在打有把被和跟从给说问不没已都也还收办家一\d]|电话|手机|先生|女士|小姐|老师|医生|经理|师傅|工号|为您|很高兴|请问|之前|昨天|[今昨]天|今年|刚才|上次|预[约订定]|号|家[属长]|妈妈?|爸爸?|本人|儿子|女儿|老[公婆]|爱人)/;

/** The same after a character that is also a common word. */
const STOPS = /^(?:$|[\s，,。.！!？?；;、：:）)])/;

/** The name at a place: surname and given name. Undefined if there is none. */
const nameAt = (text: string, start: number): { end: number } | undefined => {
  const rest = text.slice(start, start + 12);
  if (beginsNoName(rest)) return undefined;
  const compound = COMPOUNDS.exec(rest)?.[0].length;
  if (compound === undefined && !SURNAMES.includes(rest[0] ?? " ")) return undefined;
  const from = compound ?? 1;
  if (!HAN.test(rest[from] ?? "") || NO_GIVEN.test(rest.slice(from)) || STARTS_TITLE.test(rest.slice(from)))
    return undefined;
  const second = rest[from + 1] ?? "";
  const length = HAN.test(second) && !NEXT.test(rest.slice(from + 1)) ? from + 2 : from + 1;
  return { end: start + length };
};
const COMPOUNDS = new RegExp(`^(?:${COMPOUND})`);
/** Names of other peoples have a dot: 买买提·艾力. */
const DOTTED = /^[\u4e00-\u9fff]{1,8}(?:[·•][\u4e00-\u9fff]{1,8}){1,3}/;
const LATIN = /^[A-Z][a-z]{1,14}(?:\s[A-Z][a-z]{1,14}){0,2}(?![a-z])/;
/** 小红, 阿明: names that friends use. */
const FAMILIAR = /^(?:[小阿][\u4e00-\u9fff])(?=$|[\s，,。的])/;

const TITLES =
  "先生|女士|小姐|太太|夫人|同学|老师|医生|大夫|护士长?|主任|经理|总监|师傅|教授|律师|[校院科局处所]长|警官|老板|阿姨|叔叔|大[爷妈]|[奶爷]{2}|同志|总(?![是共和数量体部之会算计价额监裁经统书理而有得结站台队公行要不]|的[来说])";
const TITLE = new RegExp(TITLES, "g");
const HAS_TITLE = new RegExp(TITLES);
const STARTS_TITLE = new RegExp(`^(?:${TITLES})`);
/** Characters that are in no name before a title. */
const BARRED = /[的是我你您他她它们和跟与在了这那哪位个名吗呢吧啊给让叫找请问好]/;
/** Characters that make a word with the surname after them: 关于, 对方, 工程, 主任. */
const JOINED: Record<string, string> = {
  于: "关由对至终属等位基处出",
  方: "对双乙甲官警校院地东西南北",
  任: "主责",
  程: "工课流日过行教里",
  安: "保公治平西",
  金: "基资现奖押佣白黄",
  白: "明空表",
  高: "提太很最更越不升较",
  文: "语中英作",
  钱: "价",
  关: "相有海",
  常: "非经正平日",
  成: "完",
  华: "中",
  向: "方面一",
  查: "检调",
  海: "上",
  国: "中美英全",
  解: "了理",
  康: "健",
  单: "订",
  段: "阶",
  顾: "照",
  严: "尊",
  路: "道公",
  童: "儿",
  季: "四",
  章: "文",
  江: "长",
};

const titled = (text: string): Span[] => {
  const spans: Span[] = [];
  for (const { index: end } of matchesOf(TITLE, text)) {
    const from = Math.max(spans.at(-1)?.end ?? 0, end - 4);
    for (let start = from; start < end; start += 1) {
      if (!isTitled(text, start, end)) continue;
      spans.push(span(text, start, end));
      break;
    }
  }
  return spans;
};

const isTitled = (text: string, start: number, end: number): boolean => {
  const name = text.slice(start, end);
  const compound = COMPOUNDS.test(name);
  const [surname = ""] = name;
  if (!compound && (name.length > 3 || !SURNAMES.includes(surname))) return false;
  const given = name.slice(compound ? 2 : 1);
  const before = text[start - 1] ?? "";
  // 张老先生
  if (beginsNoName(text.slice(start, start + 4))) return false;
  if (given === "老" || (given === "" && !compound))
    return before === "" || !(JOINED[surname]?.includes(before) ?? false);
  if (given.length > 2 || [...given].some((one) => !HAN.test(one)) || BARRED.test(given)) return false;
  if (HAS_TITLE.test(given) || beginsNoName(name)) return false;
  return (
    isClear(surname) ||
    compound ||
    !HAN.test(before) ||
    /[的是叫找请问给和跟姓我您你位为让系好到人户客者主约订]/.test(before)
  );
};

const span = (text: string, start: number, end: number): Span => ({
  start,
  end,
  name: "name",
  value: text.slice(start, end).toLowerCase(),
});

const afterCue = (text: string): Span[] =>
  matchesOf(CUE, text).flatMap(({ 0: source, index }) => {
    const start = index + source.length;
    const rest = text.slice(start, start + 40);
    const other = DOTTED.exec(rest) ?? LATIN.exec(rest) ?? FAMILIAR.exec(rest);
    const end = other === null ? nameAt(text, start)?.end : start + other[0].length;
    return end === undefined ? [] : [span(text, start, end)];
  });

const afterWeakCue = (text: string): Span[] =>
  matchesOf(WEAK, text).flatMap(({ 0: source, index }) => {
    const start = index + source.length;
    const found = nameAt(text, start);
    const ends = isClear(text[start] ?? " ") ? ENDS : STOPS;
    return found !== undefined && ends.test(text.slice(found.end, found.end + 4)) ? [span(text, start, found.end)] : [];
  });

const grouped = (pattern: RegExp, text: string): Span[] =>
  matchesOf(pattern, text).flatMap(({ 0: source, index, groups }) => {
    const name = groups?.name ?? "";
    const surname = groups?.surname ?? name;
    const start = index + source.lastIndexOf(name);
    return COMPOUNDS.test(surname) || SURNAMES.includes(surname) ? [span(text, start, start + name.length)] : [];
  });

/** Some character of every Chinese cue and title. */
const CHINESE =
  /[户员客民给边里写登问服护助柜席件叫姓名是人主机者客生长士姐太夫师任理监授律官板姨叔爷妈奶志总找转联号]/;

/** Finds names after words that announce one, and before titles. */
export const names: Finder = (text) => [
  ...(CHINESE.test(text)
    ? [
        ...afterCue(text),
        ...afterWeakCue(text),
        ...titled(text),
        ...grouped(SELF, text),
        ...grouped(SURNAME_SAID, text),
      ]
    : []),
  ...englishNames(text),
];
