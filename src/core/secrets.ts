/** The text without what is secret in it: who logs in by a URL, passwords and tokens in a query, access keys. */
export const redactSecrets = (text: string): string =>
  text
    .replace(/(:\/\/)\S*@/g, "$1***@")
    .replace(/\b(\w*(?:password|passwd|pwd|secret|token|signature|accesskeyid)\w*=)[^&\s]*/gi, "$1***")
    .replace(/\bLTAI\w{8,}/g, "LTAI***");

/** Flags whose whole value is secret. */
export const isSecret = (key: string): boolean => /(^|-)(secret|token|password|passwd|key)$/.test(key);
