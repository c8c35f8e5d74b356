import { quotable } from "./quote.ts";

/** Hosts of the service's own pages. */
const HOSTS = /(^|\.)(aliyun|alibabacloud|aliyuncs)\.com$/;

/** Parameters that name the topic of a help page. Others are removed, because they may hold anything. */
const PARAMETERS = new Set(["q", "code", "errorCode", "product", "api", "action", "version", "requestId", "lang"]);

const PLAIN = /^[\w.:-]{1,100}$/;

/** The address of a help page of the service, safe to show; undefined for any other address. */
export const helpAddress = (text: string, secrets: readonly (string | undefined)[] = []): string | undefined => {
  if (text.length > 2000 || !URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(text);
  if (protocol !== "https:" || !HOSTS.test(hostname) || port || username || password) return undefined;
  const query = [...searchParams].filter(([name, value]) => PARAMETERS.has(name) && PLAIN.test(value));
  const search = query.map(([name, value]) => `${name}=${value}`).join("&");
  const address = `https://${hostname}${pathname}${search && `?${search}`}`;
  // An address with something that `quotable` would hide is not shown.
  return address.length <= 300 && quotable(address.replace("?", " "), secrets) === address.replace("?", " ")
    ? address
    : undefined;
};
