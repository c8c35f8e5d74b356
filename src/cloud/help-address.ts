import { quotable } from "./quote.ts";

/** Where the service's own pages are. */
const HOSTS = /(^|\.)(aliyun|alibabacloud|aliyuncs)\.com$/;

/** Parameters that say what is to be explained; anything else may be anything. */
const PARAMETERS = new Set(["q", "code", "errorCode", "product", "api", "action", "version", "requestId", "lang"]);

const PLAIN = /^[\w.:-]{1,100}$/;

/** The address of a page of the service, as it may be shown; undefined for any other. */
export const helpAddress = (text: string, secrets: readonly (string | undefined)[] = []): string | undefined => {
  if (text.length > 2000 || !URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(text);
  if (protocol !== "https:" || !HOSTS.test(hostname) || port || username || password) return undefined;
  const query = [...searchParams].filter(([name, value]) => PARAMETERS.has(name) && PLAIN.test(value));
  const search = query.map(([name, value]) => `${name}=${value}`).join("&");
  const address = `https://${hostname}${pathname}${search && `?${search}`}`;
  // Whatever would be hidden in the service's words is no part of an address either.
  return address.length <= 300 && quotable(address.replace("?", " "), secrets) === address.replace("?", " ")
    ? address
    : undefined;
};
