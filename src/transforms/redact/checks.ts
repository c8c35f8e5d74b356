const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** A Chinese identity number: 18 characters, a valid date, and the check character of GB 11643 (MOD 11-2). */
export const isIdNumber = (text: string): boolean => {
  const [, year = "", month = "", day = ""] = /^[1-9]\d{5}((?:18|19|20)\d\d)(\d\d)(\d\d)\d{3}[\dX]$/.exec(text) ?? [];
  if (!isDate(Number(year), Number(month), Number(day))) return false;
  const sum = WEIGHTS.reduce((total, weight, index) => total + weight * Number(text[index]), 0);
  return "10X98765432"[sum % 11] === text[17];
};

/** The old form with 15 digits, used until 2013: no century, no check digit. */
export const isOldIdNumber = (text: string): boolean => {
  const [, year = "", month = "", day = ""] = /^[1-8]\d{5}(\d\d)(\d\d)(\d\d)\d{3}$/.exec(text) ?? [];
  return isDate(1900 + Number(year), Number(month), Number(day));
};

// Day 0 of a month is the last day of the month before.
const isDate = (year: number, month: number, day: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();

/** The first digits of card issuers: Visa, Mastercard, JCB, UnionPay, Discover, Maestro, and ICBC's 95588. */
const ISSUER = /^(?:[46]|5|35|81|95|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/;

/** 16 to 19 digits of a known issuer that pass the Luhn check. */
export const isCardNumber = (text: string): boolean =>
  /^\d{16,19}$/.test(text) && ISSUER.test(text) && luhn(text) % 10 === 0;

const luhn = (text: string): number =>
  [...text].toReversed().reduce((total, character, index) => {
    const value = Number(character) * (index % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
