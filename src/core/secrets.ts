/** Replaces secrets in a text: user and password of a URL, passwords and tokens of a query, access keys. */
export const redactSecrets = (text: string): string =>
  text
    .replace(/(:\/\/)\S*@/g, "$1***@")
    .replace(/\b(\w*(?:password|passwd|pwd|secret|token|signature|accesskeyid)\w*=)[^&\s]*/gi, "$1***")
    .replace(/\bLTAI\w{8,}/g, "LTAI***");

/** Whether the whole value of a flag is secret. */
export const isSecret = (key: string): boolean => /(^|-)(secret|token|password|passwd|key)$/.test(key);
