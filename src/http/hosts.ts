/** 127.0.0.0/8, ::1 and localhost. URL has already turned 127.1 and 0x7f000001 into dotted form. */
export const isLoopback = ({ hostname }: URL): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);

/**
Whether a URL may lead to this machine: loopback, the unspecified addresses (0.0.0.0/8, ::), both inside IPv6, and
localhost with a final dot or with names below it. It forbids, so it matches more than `isLoopback`, which permits.
*/
const pointsToThisMachine = (url: URL): boolean => {
  if (isLoopback(url)) return true;
  const name = url.hostname.replace(/\.+$/, "");
  if (name === "localhost" || name.endsWith(".localhost") || /^(?:127|0)(?:\.\d{1,3}){3}$/.test(name)) return true;
  if (name === "[::]") return true;
  // ::ffff:127.0.0.1, ::127.0.0.1 and 64:ff9b::127.0.0.1, as URL writes them: the IPv4 address is the last two groups.
  const inner = /^\[(?:::(?:ffff:(?:0:)?)?|64:ff9b::)([0-9a-f]{1,4}):[0-9a-f]{1,4}\]$/.exec(name);
  const first = inner ? Number.parseInt(inner[1] ?? "", 16) >> 8 : undefined;
  return first === 127 || first === 0;
};

/** `pattern` is a host, a host with port, or `*.suffix` for one or more labels before the suffix. */
const matches = (url: URL, pattern: string): boolean => {
  const wanted = pattern.trim().toLowerCase();
  if (wanted.startsWith("*.")) return wanted.length > 2 && url.hostname.endsWith(wanted.slice(1));
  return wanted !== "" && (url.hostname === wanted || url.host === wanted);
};

export interface Permission {
  /** Hosts besides *.aliyuncs.com: exact, or `*.suffix`. */
  allowHosts: readonly string[];
  /** Whether links to this machine are allowed: only when the service is on it too, like the emulator. */
  loopback: boolean;
}

/** Why this link must not be followed; undefined when it is allowed. @param from the link that redirects to it */
export const whyNotAllowed = (url: URL, { allowHosts, loopback }: Permission, from?: URL): string | undefined => {
  if (url.username || url.password) return `a link to ${url.host} carries a user name or password`;
  if (pointsToThisMachine(url)) {
    // An answer from another host must not reach this machine.
    if (from && !pointsToThisMachine(from)) return `${from.host} redirects to ${url.host}, which is this machine`;
    if (!loopback) return `a link to ${url.host} leads to this machine, and the service is not on it`;
  }
  if (isLoopback(url) && (url.protocol === "http:" || url.protocol === "https:")) return undefined;
  if (url.protocol !== "https:") return `a link to ${url.host} is ${url.protocol.slice(0, -1)}, not https`;
  if (["*.aliyuncs.com", ...allowHosts].some((pattern) => matches(url, pattern))) return undefined;
  return `${url.host} is not a host of Alibaba Cloud; if you trust it, add --allow-host ${url.hostname}`;
};
