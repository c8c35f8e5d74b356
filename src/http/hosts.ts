/** 127.0.0.0/8, ::1 and localhost. URL has already turned 127.1 and 0x7f000001 into dotted form. */
export const isLoopback = ({ hostname }: URL): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);

/** `pattern` is a host, a host with port, or `*.suffix`, which stands for one label or more before the suffix. */
const matches = (url: URL, pattern: string): boolean => {
  const wanted = pattern.trim().toLowerCase();
  if (wanted.startsWith("*.")) return wanted.length > 2 && url.hostname.endsWith(wanted.slice(1));
  return wanted !== "" && (url.hostname === wanted || url.host === wanted);
};

/** Why this link must not be followed; undefined when it may. */
export const objection = (url: URL, allowHosts: readonly string[], from?: URL): string | undefined => {
  if (url.username || url.password) return `a link to ${url.host} carries a user name or password`;
  if (isLoopback(url)) {
    // An answer from outside must not reach into this machine.
    if (from && !isLoopback(from)) return `${from.host} redirects to ${url.host}, which is this machine`;
    if (url.protocol === "http:" || url.protocol === "https:") return undefined;
  }
  if (url.protocol !== "https:") return `a link to ${url.host} is ${url.protocol.slice(0, -1)}, not https`;
  if (["*.aliyuncs.com", ...allowHosts].some((pattern) => matches(url, pattern))) return undefined;
  return `${url.host} is not a host of Alibaba Cloud; if you trust it, add --allow-host ${url.hostname}`;
};
