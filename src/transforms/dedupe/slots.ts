/** Stands for a number, a name or a placeholder. Of the private use area, so that texts do not have it. */
export const SLOT = "\ue000";

/** The placeholders of redaction: `<PHONE_1>`. */
const PLACEHOLDERS = /<[A-Z][A-Z0-9_]*_\d+>/giu;
const EMAILS = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}.-]{1,255}/gu;
const URLS = /(?:https?:\/\/|www\.)[\w.~:/?#[\]@!$&'()*+,;=%-]{1,2000}/giu;

/** The surnames of nine in ten Chinese; some that are common words (如, 和, 时) are left out. */
const SURNAME =
  "(?:欧阳|司马|上官|诸葛|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤])";
const HAN = "[\\u4e00-\\u9fff]";
const TITLE = "(?:先生|女士|小姐|太太|老师|师傅|经理|医生|同学|阿姨)";
/** A surname before a title; or what follows the words with which people give their name. */
const CHINESE_NAMES = new RegExp(
  `${SURNAME}${HAN}{0,2}?(?=${TITLE})|(?<=我叫|名字叫|名字是|姓名是|姓名叫)(?:${SURNAME}${HAN}{1,2}|${HAN}{2,3})|(?<=姓)${SURNAME}`,
  "gu",
);
const NAME_CUES = /先生|女士|小姐|太太|老师|师傅|经理|医生|同学|阿姨|叫|姓/u;
/** After a cue one word of any case, or up to three that begin with a capital. */
const ENGLISH_NAMES =
  /(?<=\b(?:[Mm]y name is|[Mm]y name's|[Mm]r\.?|[Mm]rs\.?|[Mm]s\.?|[Mm]iss|[Dd]r\.?) )(?:\p{Lu}[\p{L}'’-]*(?: \p{Lu}[\p{L}'’-]*){0,2}|[\p{L}'’-]+)/gu;
const ENGLISH_CUES = /name|M[rs]|m[rs]|iss |[Dd]r/u;

/**
A text with one sign for each placeholder, address and name, so that calls that differ only in them are near copies. Numbers
are left to the shingles.

Names are found by cues only: before 先生 and other titles, after 我叫, "my name is", "Mr".
*/
export const withSlots = (text: string): string => {
  let found = /[＜＠：]/u.test(text) ? text.normalize("NFKC") : text;
  if (found.includes("<")) found = found.replace(PLACEHOLDERS, SLOT);
  if (found.includes("@")) found = found.replace(EMAILS, SLOT);
  if (/www\.|:\/\//i.test(found)) found = found.replace(URLS, SLOT);
  if (NAME_CUES.test(found)) found = found.replace(CHINESE_NAMES, SLOT);
  if (ENGLISH_CUES.test(found)) found = found.replace(ENGLISH_NAMES, SLOT);
  return found;
};
