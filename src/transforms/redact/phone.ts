import { type Candidate, labelledOther, labelledPhone, wellGrouped } from "./candidate.ts";

/** Returns the number in international form, however it was spoken; undefined if it is not a phone number. */
export type PhoneReader = (candidate: Candidate) => string | undefined;

const MOBILE = /^(?:(?:00)?86)?(1[3-9]\d{9})$/;
const LANDLINE = /^(?:0\d{9,11}|[48]00\d{7})$/;
/** 0571-8765432: this grouping means a landline, even if speech recognition lost a digit. */
const HYPHENATED = /^[34],[78]$/;
const AMERICAN = /^1?[2-9]\d\d[2-9]\d{6}$/;
const BRITISH_MOBILE = /^07\d{9}$/;
const LOCAL = /^[2-8]\d{6,7}$/;
/** The grouping of American numbers; ten digits in other groupings may be anything. */
const AMERICAN_GROUPS = /^(?:1,)?3,3,4$/;
const SUM = /^\s?(?:元|块|美元|万|rmb|usd|yuan|dollars)/i;

/**
Reads Chinese mobile numbers by their shape, and all others by libphonenumber's full metadata: Chinese landlines and
400/800 numbers, American and British ones without a country code, any country's with one.

The metadata is loaded here, because it takes some 40 ms.
*/
export const phoneReader = async (): Promise<PhoneReader> => {
  const { parsePhoneNumberFromString } = await import("./libphonenumber.ts");
  const valid = (text: string, country?: "CN" | "US" | "GB"): string | undefined => {
    const number = parsePhoneNumberFromString(text, country);
    return number?.isValid() ? number.number : undefined;
  };

  const international = ({ plus, digits }: Candidate): string | undefined =>
    plus ? valid(`+${digits}`) : digits.startsWith("00") ? valid(`+${digits.slice(2)}`) : undefined;

  const national = (candidate: Candidate): string | undefined => {
    const { digits, widths, english } = candidate;
    if (LANDLINE.test(digits) && wellGrouped(candidate)) {
      const number = valid(digits, "CN");
      if (number !== undefined) return number;
      if (digits.startsWith("0") && HYPHENATED.test(widths.join())) return `+86${digits.slice(1)}`;
    }
    if (BRITISH_MOBILE.test(digits) && wellGrouped(candidate)) return valid(digits, "GB");
    const american =
      AMERICAN_GROUPS.test(widths.join()) ||
      english ||
      widths.every((width) => width === 1) ||
      labelledPhone(candidate);
    if (AMERICAN.test(digits) && american) return valid(digits, "US");
    return LOCAL.test(digits) && wellGrouped(candidate) && labelledPhone(candidate) ? digits : undefined;
  };

  /** A landline with an extension after a hyphen: without its extension, the number would not be recognised. */
  const extended = (candidate: Candidate): string | undefined => {
    const extension = candidate.widths.length > 1 ? (candidate.widths.at(-1) ?? 0) : 0;
    const digits = candidate.digits.slice(0, -extension);
    if (extension === 0 || extension > 5 || candidate.spoken || !/^0\d{9,11}$/.test(digits)) return undefined;
    const number = wellGrouped(candidate) ? valid(digits, "CN") : undefined;
    return number && `${number};ext=${candidate.digits.slice(-extension)}`;
  };

  return (candidate) => {
    const { digits, after, plus } = candidate;
    if (digits.length > 17 || digits.includes("X") || SUM.test(after)) return undefined;
    const mobile = MOBILE.exec(digits);
    if (mobile !== null && (plus || /^(?:00)?86/.test(digits) || wellGrouped(candidate))) return `+86${mobile[1]}`;
    if (plus) return international(candidate);
    if (labelledOther(candidate)) return undefined;
    return international(candidate) ?? national(candidate) ?? extended(candidate);
  };
};
