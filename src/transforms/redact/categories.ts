/** What can be found by name; in order of precedence where two finds are equally long. */
export const REDACT_CATEGORIES = ["email", "url", "ip", "id-card", "bank-card", "phone", "passport", "plate"] as const;
export type RedactCategory = (typeof REDACT_CATEGORIES)[number];
