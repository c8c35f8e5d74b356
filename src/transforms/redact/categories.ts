/** The categories of personal data. If two finds are equally long, the first category wins. */
export const REDACT_CATEGORIES = [
  "email",
  "url",
  "ip",
  "id-card",
  "bank-card",
  "phone",
  "passport",
  "plate",
  "name",
  "address",
  "wechat",
] as const;
export type RedactCategory = (typeof REDACT_CATEGORIES)[number];
