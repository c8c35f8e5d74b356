import type { Candidate } from "./candidate.ts";

const FILL = "(?:[\\s，,。.、:：]|嗯|呃|额|啊|哦|那个|就是|\\bu[mh]+\\b)";
const SAID = `(?<said>${FILL}{0,6}(?:应该|好像)?(?:是|为|叫|念|[:：]|\\b(?:is|was|reads?|it'?s)\\b)${FILL}{0,8})?${FILL}{0,6}$`;
const NUMBER = "\\s?(?:卡号|号码|号|number|no\\.?)?\\s?(?:上面|上|后面)?";

const ID = new RegExp(
  `(?<whose>[^\\s，,。.])?[\\s，,。.]?(?:身份证件?|证件|\\b(?:id|identity)(?: card)?)${NUMBER}${SAID}`,
  "i",
);
const CARD = new RegExp(
  `(?<whose>[^\\s，,。.])?[\\s，,。.]?(?:银行卡|信用卡|储蓄卡|借记卡|[工农中建交招]行卡?|(?<![员诊保禁通交话量费购物券礼品油水电车校饭])卡|\\b(?:(?:bank|credit|debit) )?card)${NUMBER}${SAID}`,
  "i",
);
/** The number itself is wrong, or belongs to something else. */
const OTHER =
  /(?:会员|就诊|医保|社保|门禁|公交|交通|电话|流量|购物|礼品|加油|一卡通|学生|校园)卡?[^，,。]{0,6}$|\b(?:gift|member(?:ship)?|library|loyalty|sim|student|employee|order|case|apple|tax) (?:id|card)[^,.]{0,12}$/i;

/**
Whether somebody says that this is an identity or card number, so that speech recognition may have misheard a digit: the
check digit counts no more. A written number directly after the bare word at the beginning of a text is taken as typed.
*/
const announcedBy = (label: RegExp, { before, spoken }: Candidate): boolean => {
  const found = label.exec(before)?.groups;
  return (
    found !== undefined && !OTHER.test(before) && (spoken || found.said !== undefined || found.whose !== undefined)
  );
};

/** An identity number with one wrong digit still has 18 characters. */
export const announcedId = (candidate: Candidate): boolean =>
  /^[1-9]\d{16}[\dX]$/.test(candidate.digits) && announcedBy(ID, candidate);

export const announcedCard = (candidate: Candidate): boolean =>
  /^\d{16,19}$/.test(candidate.digits) && announcedBy(CARD, candidate);
